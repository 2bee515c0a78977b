#define _GNU_SOURCE
#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

/* The third word of a mapped address; those before it are 0 (RFC 4291 §2.5.5.2). */
#define MAPPED 0xffff

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

/* Reads `192.0.2.1`, `::1`, `fe80::1%eth0`. Returns the address's length, or 0 if it is none. */
static socklen_t parse(const char *text, uint16_t port, union address *address)
{
  char bare[INET6_ADDRSTRLEN];
  const char *zone = strchr(text, '%');
  size_t length = zone == NULL ? strlen(text) : (size_t)(zone - text);

  memset(address, 0, sizeof *address);
  if (length >= sizeof bare) return 0;
  memcpy(bare, text, length);
  bare[length] = 0;
  if (zone == NULL && inet_pton(AF_INET, bare, &address->v4.sin_addr) == 1) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(port);
    return sizeof address->v4;
  }
  if (inet_pton(AF_INET6, bare, &address->v6.sin6_addr) != 1) return 0;
  address->v6.sin6_family = AF_INET6;
  address->v6.sin6_port = htons(port);
  if (zone == NULL) return sizeof address->v6;
  address->v6.sin6_scope_id = if_nametoindex(zone + 1);
  return address->v6.sin6_scope_id == 0 ? 0 : sizeof address->v6;
}

static void set(int fd, int level, int option, int value)
{
  setsockopt(fd, level, option, &value, sizeof value);
}

static void set_options(const struct udp_socket *socket, const struct udp_bind_options *options)
{
  socket_set_receive_buffer(socket->fd, options->receive_buffer);
  socket_set_send_buffer(socket->fd, options->send_buffer);
  if (socket->family == AF_INET6) set(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY, options->only_ipv6);
  if (!options->tells_local) return;
  /* A socket of both families is told by IPv4 what IPv4 knows better: which address to answer a broadcast from. */
  set(socket->fd, IPPROTO_IP, IP_PKTINFO, 1);
  if (socket->family == AF_INET6) set(socket->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/* Bound to the address if there are options, otherwise connected to it. */
static int open_socket(struct udp_socket *opened, const char *text, uint16_t port,
                       const struct udp_bind_options *options)
{
  union address address;
  socklen_t length = parse(text, port, &address);

  if (length == 0) return -EINVAL;
  *opened = (struct udp_socket){
    .fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
    .family = address.any.sa_family,
    .connected = options == NULL,
    .tells_local = options != NULL && options->tells_local,
    .expected = 1,
  };
  if (opened->fd < 0) return -errno;
  if (options != NULL) set_options(opened, options);
  int failed = options != NULL ? bind(opened->fd, &address.any, length) : connect(opened->fd, &address.any, length);
  if (failed == 0) return 0;
  int error = -errno;
  close(opened->fd);
  return error;
}

int udp_bind(struct udp_socket *socket, const char *address, uint16_t port, const struct udp_bind_options *options)
{
  return open_socket(socket, address, port, options);
}

int udp_connect(struct udp_socket *socket, const char *address, uint16_t port)
{
  return open_socket(socket, address, port, NULL);
}

int udp_port(const struct udp_socket *socket)
{
  union address address;
  socklen_t length = sizeof address;

  if (getsockname(socket->fd, &address.any, &length) != 0) return -errno;
  return ntohs(socket->family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static void read_v4(uint32_t words[4], const struct in_addr *address)
{
  words[0] = words[1] = 0;
  words[2] = MAPPED;
  words[3] = ntohl(address->s_addr);
}

static void read_v6(uint32_t words[4], const struct in6_addr *address)
{
  memcpy(words, address, sizeof *address);
  for (int i = 0; i < 4; i++) words[i] = ntohl(words[i]);
}

static struct in6_addr to_v6(const uint32_t words[4])
{
  struct in6_addr address;
  const uint32_t bytes[4] = { htonl(words[0]), htonl(words[1]), htonl(words[2]), htonl(words[3]) };

  memcpy(&address, bytes, sizeof address);
  return address;
}

static bool is_mapped(const uint32_t words[4])
{
  return words[0] == 0 && words[1] == 0 && words[2] == MAPPED;
}

static bool is_none(const uint32_t words[4])
{
  return (words[0] | words[1] | words[2] | words[3]) == 0;
}

void udp_read_addresses(struct udp_record *record, const struct msghdr *message)
{
  const union address *from = message->msg_name;

  if (from->any.sa_family == AF_INET6) {
    read_v6(record->peer, &from->v6.sin6_addr);
    record->port = ntohs(from->v6.sin6_port);
    record->scope = from->v6.sin6_scope_id;
  } else {
    read_v4(record->peer, &from->v4.sin_addr);
    record->port = ntohs(from->v4.sin_port);
    record->scope = 0;
  }

  memset(record->local, 0, sizeof record->local);
  for (struct cmsghdr *told = CMSG_FIRSTHDR(message); told != NULL; told = CMSG_NXTHDR((struct msghdr *)message, told)) {
    if (told->cmsg_level == IPPROTO_IP && told->cmsg_type == IP_PKTINFO) {
      read_v4(record->local, &((const struct in_pktinfo *)CMSG_DATA(told))->ipi_spec_dst);
    } else if (told->cmsg_level == IPPROTO_IPV6 && told->cmsg_type == IPV6_PKTINFO) {
      const struct in6_addr *local = &((const struct in6_pktinfo *)CMSG_DATA(told))->ipi6_addr;
      /* Nobody can answer from a multicast address. */
      if (!IN6_IS_ADDR_MULTICAST(local)) read_v6(record->local, local);
    }
  }
}

/* Appends one control message to those that `message` has. */
static void tell(struct msghdr *message, int level, int type, const void *data, size_t length)
{
  struct cmsghdr *told = message->msg_control;

  told->cmsg_level = level;
  told->cmsg_type = type;
  told->cmsg_len = CMSG_LEN(length);
  memcpy(CMSG_DATA(told), data, length);
  message->msg_controllen = CMSG_SPACE(length);
}

static void write_local(const struct udp_socket *socket, const struct udp_record *record, struct msghdr *message)
{
  message->msg_controllen = 0;
  if (!socket->tells_local || is_none(record->local)) return;
  if (socket->family == AF_INET6 && !is_mapped(record->local)) {
    struct in6_pktinfo info = { .ipi6_addr = to_v6(record->local), .ipi6_ifindex = record->scope };
    tell(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
  } else {
    struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(record->local[3]) };
    tell(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
  }
}

void udp_write_addresses(const struct udp_socket *socket, const struct udp_record *record, struct msghdr *message)
{
  union address *to = message->msg_name;

  if (socket->family == AF_INET6) {
    to->v6 = (struct sockaddr_in6){
      .sin6_family = AF_INET6,
      .sin6_port = htons((uint16_t)record->port),
      .sin6_addr = to_v6(record->peer),
      .sin6_scope_id = record->scope,
    };
    message->msg_namelen = sizeof to->v6;
  } else {
    to->v4 = (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_port = htons((uint16_t)record->port),
      .sin_addr.s_addr = htonl(record->peer[3]),
    };
    message->msg_namelen = sizeof to->v4;
  }
  write_local(socket, record, message);
}
