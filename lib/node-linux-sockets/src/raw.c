#define _GNU_SOURCE
#include "raw.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

/* Packets that one system call takes. */
#define CHUNK 256

union address {
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

/* IPPROTO_RAW makes the kernel expect a header on every packet, of either family. */
int raw_open(int family, uint32_t mark, int send_buffer)
{
  int fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

  if (fd < 0) return -errno;
  if (mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  socket_set_send_buffer(fd, send_buffer);
  return fd;
}

/* Where a packet wants to go by its own header, and the length of that address; 0 if it has no such header. */
static socklen_t destination_of(const uint8_t *packet, uint32_t length, int family, union address *address)
{
  memset(address, 0, sizeof *address);
  if (length < (family == 6 ? 40u : 20u) || packet[0] >> 4 != family) return 0;
  if (family == 6) {
    address->v6.sin6_family = AF_INET6;
    memcpy(&address->v6.sin6_addr, packet + 24, 16);
    return sizeof address->v6;
  }
  address->v4.sin_family = AF_INET;
  memcpy(&address->v4.sin_addr, packet + 16, 4);
  return sizeof address->v4;
}

static void refused(void *counters, uint32_t index, int error)
{
  (void)index;
  packet_failed(counters, error);
}

uint32_t raw_send(int fd, int family, const struct packets *packets, struct packet_counters *counters)
{
  struct mmsghdr messages[CHUNK];
  struct iovec parts[CHUNK];
  union address addresses[CHUNK];
  uint32_t taken = 0;

  memset(messages, 0, sizeof messages);
  for (uint32_t i = 0; i < packets->count;) {
    uint32_t n = 0;
    for (; i < packets->count && n < CHUNK; i++) {
      const uint8_t *packet = packets->bytes + packets->offsets[i];
      socklen_t length = destination_of(packet, packets->lengths[i], family, &addresses[n]);
      if (length == 0) {
        counters->refused++;
        continue;
      }
      parts[n] = (struct iovec){ .iov_base = (void *)packet, .iov_len = packets->lengths[i] };
      messages[n].msg_hdr.msg_name = &addresses[n];
      messages[n].msg_hdr.msg_namelen = length;
      messages[n].msg_hdr.msg_iov = &parts[n];
      messages[n].msg_hdr.msg_iovlen = 1;
      n++;
    }
    taken += socket_send(fd, messages, n, refused, counters);
  }
  counters->sent += taken;
  return taken;
}
