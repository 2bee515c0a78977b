#include "packets.h"

#include <errno.h>

int packets_lie_inside(const struct packets *packets)
{
  for (uint32_t i = 0; i < packets->count; i++)
    if ((size_t)packets->offsets[i] + packets->lengths[i] > packets->size) return 0;
  return 1;
}

void packet_failed(struct packet_counters *counters, int error)
{
  switch (error) {
  case EMSGSIZE:
    counters->too_large++;
    break;
  case ENETUNREACH:
  case EHOSTUNREACH:
  case ENETDOWN:
    counters->unreachable++;
    break;
  case EAGAIN:
  case ENOBUFS:
  case ENOMEM:
    counters->no_room++;
    break;
  default:
    counters->refused++;
  }
}
