#define _GNU_SOURCE
#include "pace.h"

#include <sys/prctl.h>
#include <time.h>

#define SECOND_NS 1000000000LL

/* Packets are counted over this time to tell how densely they come. */
#define WINDOW_NS 1000000LL

/* Dense is when the shortest gap has so many packets on average. */
#define PACKETS_PER_GAP 2

/* The more packets, the longer the gap, up to so many times the shortest. */
#define LONGEST_GAP 4

/* A sleep shorter than this costs more than it saves. */
#define SHORTEST_SLEEP_NS 5000

static int64_t now_ns(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * SECOND_NS + now.tv_nsec;
}

void nfq_pace_start(struct nfq_pace *pace, uint32_t gap_us)
{
  *pace = (struct nfq_pace){ .shortest_ns = gap_us * 1000LL };
  /* By default the kernel may end a sleep 50 µs late, to end several at a time. */
  if (gap_us > 0) prctl(PR_SET_TIMERSLACK, 1000UL);
}

/* Judges a window once it is over; one that was over long ago had a pause after it. */
static void judge(struct nfq_pace *pace, int64_t now)
{
  int64_t age = now - pace->window_ns;

  if (age < WINDOW_NS) return;
  int64_t density = pace->packets * pace->shortest_ns / PACKETS_PER_GAP; /* `age` is one gap's worth */
  if (age >= 2 * WINDOW_NS || density < age) pace->gap_ns = 0;
  else if (density > LONGEST_GAP * age) pace->gap_ns = LONGEST_GAP * pace->shortest_ns;
  else pace->gap_ns = density * pace->shortest_ns / age;
  pace->window_ns = now;
  pace->packets = 0;
}

void nfq_pace_wait(struct nfq_pace *pace)
{
  if (pace->shortest_ns == 0) return;
  int64_t now = now_ns();

  judge(pace, now);
  int64_t left = pace->received_ns + pace->gap_ns - now;
  if (pace->gap_ns > 0 && left >= SHORTEST_SLEEP_NS) {
    struct timespec rest = { .tv_nsec = left };
    clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
    now = now_ns();
  }
  pace->received_ns = now;
}

void nfq_pace_count(struct nfq_pace *pace, uint32_t packets)
{
  pace->packets += packets;
}
