#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static void set_buffer(int fd, int forced, int polite, int bytes)
{
  if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
    setsockopt(fd, SOL_SOCKET, polite, &bytes, sizeof bytes);
}

void socket_set_receive_buffer(int fd, int bytes)
{
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, bytes);
}

void socket_set_send_buffer(int fd, int bytes)
{
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, bytes);
}

uint32_t socket_send(int fd, struct mmsghdr *messages, uint32_t count,
                     void (*refused)(void *context, uint32_t index, int error), void *context)
{
  uint32_t taken = 0;

  for (uint32_t at = 0; at < count;) {
    /* The sendmmsg of musl would make one system call for each message. */
    long sent = syscall(SYS_sendmmsg, fd, messages + at, count - at, MSG_DONTWAIT);
    if (sent > 0) {
      taken += (uint32_t)sent;
      at += (uint32_t)sent;
    } else if (errno != EINTR) {
      refused(context, at++, errno);
    }
  }
  return taken;
}
