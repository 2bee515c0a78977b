#define _GNU_SOURCE
#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int set_mtu(const char *name, int mtu)
{
  struct ifreq request = { .ifr_mtu = mtu };
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fd < 0) return -errno;
  memcpy(request.ifr_name, name, IFNAMSIZ);
  int error = ioctl(fd, SIOCSIFMTU, &request) == 0 ? 0 : -errno;
  close(fd);
  return error;
}

int tun_open(char name[IFNAMSIZ], int mtu)
{
  struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

  if (fd < 0) return -errno;
  memcpy(request.ifr_name, name, IFNAMSIZ);
  int error = ioctl(fd, TUNSETIFF, &request) == 0 ? 0 : -errno;
  memcpy(name, request.ifr_name, IFNAMSIZ);
  if (error == 0 && mtu != 0) error = set_mtu(name, mtu);
  if (error == 0) return fd;
  close(fd);
  return error;
}

/* The device takes one packet a call. */
uint32_t tun_write(int fd, const struct packets *packets, struct packet_counters *counters)
{
  uint32_t taken = 0;

  for (uint32_t i = 0; i < packets->count;) {
    if (write(fd, packets->bytes + packets->offsets[i], packets->lengths[i]) >= 0) taken++;
    else if (errno == EINTR) continue;
    else packet_failed(counters, errno);
    i++;
  }
  counters->sent += taken;
  return taken;
}

int tun_read(int fd, uint8_t *into, size_t size)
{
  for (;;) {
    ssize_t length = read(fd, into, size);
    if (length >= 0) return (int)length;
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return -errno;
  }
}
