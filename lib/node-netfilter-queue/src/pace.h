/*
 * Coalescing, as network cards do it: while packets come densely, receives are kept some time apart, so that
 * each brings several. That saves system calls and wake-ups, and delays a packet by at most that time. The
 * gap grows with the rate of the packets: the more share it, the more it saves and the fewer each sender misses.
 *
 *   packets    ·     ·        · · · · · · · · · · · · · · ·
 *   receives   ↑     ↑        ↑ ↑ ↑       ↑       ↑       ↑
 *              each at once         └─gap─┘ dense from here on
 */
#ifndef NFQ_PACE_H
#define NFQ_PACE_H

#include <stdint.h>

struct nfq_pace {
  int64_t shortest_ns; /* 0: never waits */
  int64_t gap_ns;      /* at present; 0 while packets do not come densely */
  int64_t received_ns;
  int64_t window_ns; /* when the present count began */
  uint32_t packets;
};

/* For the thread that receives: its sleeps become exact to the microsecond if it may wait at all. */
void nfq_pace_start(struct nfq_pace *pace, uint32_t gap_us);

/* Before a receive: sleeps for what is left of the gap if packets come densely. A signal ends the sleep early. */
void nfq_pace_wait(struct nfq_pace *pace);

/* After a receive that brought packets. */
void nfq_pace_count(struct nfq_pace *pace, uint32_t packets);

#endif
