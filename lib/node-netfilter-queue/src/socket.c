#include "socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel keeps these bytes of the send buffer for itself (netlink_sendmsg). */
#define SEND_BUFFER_RESERVE 32

/* Beyond the system's limit where we are privileged, up to it where we are not (in a user namespace). */
static void set_buffer(int fd, int forced, int polite, int bytes)
{
  if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
    setsockopt(fd, SOL_SOCKET, polite, &bytes, sizeof bytes);
}

/*
 * Connected to the kernel (port 0), so that no other process can send us anything. Packets that do not
 * fit the receive buffer are counted by the queue itself and need no ENOBUFS (NETLINK_NO_ENOBUFS);
 * refusals need not repeat what was refused (NETLINK_CAP_ACK).
 */
static int open_socket(const struct nfq_socket_options *options)
{
  struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  int on = 1;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

  if (fd < 0) return -errno;
  if (bind(fd, (struct sockaddr *)&kernel, sizeof kernel) != 0 ||
      connect(fd, (struct sockaddr *)&kernel, sizeof kernel) != 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options->receive_buffer);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options->send_buffer);
  return fd;
}

/*
 * Sends a request and returns the errno it was refused with, or 0. The answer is looked at before it is
 * taken: once the queue is bound, what lies there may be its first packet.
 */
static int request(int fd, const uint8_t *bytes, size_t length)
{
  uint8_t answer[NLMSG_HDRLEN + sizeof(struct nlmsgerr)];
  struct nfq_packet packet;

  if (send(fd, bytes, length, 0) < 0) return errno;
  ssize_t answered = recv(fd, answer, sizeof answer, MSG_PEEK | MSG_DONTWAIT);
  if (answered < 0) return errno == EAGAIN ? 0 : errno;
  if (nfq_read(answer, (size_t)answered, &packet) != NFQ_ERROR) return 0;
  recv(fd, answer, sizeof answer, MSG_DONTWAIT);
  return nfq_read_error(answer, (size_t)answered);
}

/* A probe comes first: the kernel says EPERM both to the unprivileged and for a queue that is taken. */
static int take_queue(int fd, uint16_t queue, const struct nfq_settings *settings)
{
  uint8_t bytes[NFQ_CONFIG_MAX];
  int error = request(fd, bytes, nfq_write_probe(bytes));

  if (error != 0) return error == EINVAL ? EPROTONOSUPPORT : error;
  error = request(fd, bytes, nfq_write_bind(bytes, queue, settings));
  return error == EPERM ? EBUSY : error;
}

int nfq_socket_open(uint16_t queue, const struct nfq_socket_options *options)
{
  int fd = open_socket(options);
  if (fd < 0) return fd;

  int error = take_queue(fd, queue, &options->settings);
  if (error == 0) return fd;
  close(fd);
  return -error;
}

size_t nfq_socket_send_limit(int fd)
{
  int bytes = 0;
  socklen_t length = sizeof bytes;

  getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &length);
  return bytes > SEND_BUFFER_RESERVE ? (size_t)(bytes - SEND_BUFFER_RESERVE) : 0;
}
