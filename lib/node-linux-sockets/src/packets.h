/*
 * Packets that JavaScript hands over in columns: one array of bytes, and where in it each packet lies.
 *
 *   bytes:  … | packet 0 | … | packet 2 | packet 1 | …
 *               ^ offsets[0], lengths[0] bytes
 */
#ifndef SOCKETS_PACKETS_H
#define SOCKETS_PACKETS_H

#include <stddef.h>
#include <stdint.h>

struct packets {
  const uint8_t *bytes;
  size_t size;
  const uint32_t *offsets;
  const uint32_t *lengths;
  uint32_t count;
};

/* What became of packets, since the socket or device was opened. */
struct packet_counters {
  uint64_t sent;
  uint64_t too_large;   /* for the device they would have left by */
  uint64_t unreachable; /* no route, or no neighbour */
  uint64_t no_room;     /* the send buffer or a queue was full */
  uint64_t refused;     /* by a filter, or because it is no packet */
};

/* 1 if every packet lies within the bytes. */
int packets_lie_inside(const struct packets *packets);

/* Counts one packet that the kernel refused with `error`, an errno. */
void packet_failed(struct packet_counters *counters, int error);

#endif
