/*
 * One UDP socket: how it is opened, and how addresses stand in records. An address is always four words of 32 bits, the
 * most significant first, IPv4 in its mapped form ::ffff:a.b.c.d.
 */
#ifndef SOCKETS_UDP_H
#define SOCKETS_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Room for what the kernel tells of one datagram: where it was sent to, as IPv4 and as IPv6. */
#define UDP_CONTROL_MAX 96

struct udp_socket {
  int fd;           /* -1 once it is closed */
  int family;       /* AF_INET or AF_INET6 */
  bool connected;
  bool tells_local; /* its datagrams tell which address of this machine they were sent to */
  uint32_t expected;/* datagrams that are waited for at the next wake-up, by what came at the last */
  int32_t next;     /* in the list of free places that this one is in */
};

struct udp_bind_options {
  bool only_ipv6;   /* an IPv6 socket leaves IPv4 alone */
  bool tells_local;
  int receive_buffer; /* bytes; what the system grants may be less */
  int send_buffer;
};

/* One datagram, received or to be sent; 64 bytes, a line of the cache. */
struct udp_record {
  int32_t socket;
  uint32_t offset;
  int32_t length; /* or an errno negated: nothing was received, or sent */
  uint32_t port;  /* of the peer, in the machine's own byte order */
  uint32_t peer[4];
  uint32_t local[4]; /* the address of this machine; all zeros where that is not told, or not to be chosen */
  uint32_t scope;    /* index of the interface, for an address of a link */
  uint32_t unused[3];
};

/* `address` is text, perhaps with a zone. Both return 0 or an errno negated, EINVAL if it is no address. */
int udp_bind(struct udp_socket *socket, const char *address, uint16_t port, const struct udp_bind_options *options);
int udp_connect(struct udp_socket *socket, const char *address, uint16_t port);

/* The port that it is bound to, or an errno negated. */
int udp_port(const struct udp_socket *socket);

/* Writes into the record who sent a datagram, and where to; `message` is as recvmsg has filled it in. */
void udp_read_addresses(struct udp_record *record, const struct msghdr *message);

/* Fills in whom a datagram is for, and from where. `message` brings room for both. */
void udp_write_addresses(const struct udp_socket *socket, const struct udp_record *record, struct msghdr *message);

#endif
