/*
 * UDP sockets that are received from and sent to together. An epoll descriptor of the group's own knows which of them
 * have something; a wake-up takes it from many of them, and hands all of it over at once. Everything lies in one piece
 * of memory, which C and JavaScript share:
 *
 *   +-------------------------+-------------------------+--------------------------------------+---------+
 *   | received: records × 128 | outgoing: records × 128 | datagrams, one behind the other      | scratch |
 *   +-------------------------+-------------------------+--------------------------------------+---------+
 *     64 bytes each: udp.h                                4 MiB                                  64 KiB
 *
 * Sockets are known by numbers. The number of a socket that was closed is not given to another before the batch that
 * may still speak of it is through.
 */
#ifndef SOCKETS_GROUP_H
#define SOCKETS_GROUP_H

/* recvmmsg takes _GNU_SOURCE. */
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "udp.h"

/* No datagram is longer: the length of UDP has 16 bits. */
#define GROUP_SLOT 65536
#define GROUP_SLOTS 64
/* Sockets whose turn it is in one batch, and datagrams that one system call takes of one of them. */
#define GROUP_EVENTS 64
#define GROUP_CALL 32
/* Enough for any batch: of each socket, all datagrams but the first take up a slot. */
#define GROUP_RECORDS (GROUP_EVENTS + GROUP_SLOTS)

/* Where everything lies, in bytes from the start of the memory. */
#define GROUP_OUTGOING (GROUP_RECORDS * sizeof(struct udp_record))
#define GROUP_BYTES (2 * GROUP_OUTGOING)
#define GROUP_BYTES_LENGTH ((size_t)GROUP_SLOT * (GROUP_SLOTS + 1))
#define GROUP_MEMORY (GROUP_BYTES + GROUP_BYTES_LENGTH)

struct udp_group {
  int epoll_fd;
  struct udp_record *received, *outgoing;
  uint8_t *bytes;

  struct udp_socket *sockets;
  int32_t socket_count;    /* numbers that were ever given */
  int32_t socket_capacity;
  int32_t open_count;
  int32_t free;            /* the first of a list of numbers that may be given again; -1 if there is none */
  int32_t closed;          /* of those that may be after the batch */

  /* Sockets that have something; those from ready_next on have not had their turn yet. */
  struct epoll_event ready[GROUP_EVENTS];
  int ready_count, ready_next;

  /* One each per datagram of a system call; the messages of connected sockets have no room for addresses. */
  struct mmsghdr with_addresses[GROUP_CALL];
  struct mmsghdr without_addresses[GROUP_CALL];
  struct iovec parts[GROUP_CALL];
  struct sockaddr_in6 names[GROUP_CALL];
  _Alignas(struct cmsghdr) uint8_t controls[GROUP_CALL][UDP_CONTROL_MAX];
};

/* A group over memory of GROUP_MEMORY bytes that outlives it. Returns 0 or an errno negated. */
int group_open(struct udp_group *group, uint8_t *memory);

/* Closes all sockets. */
void group_close(struct udp_group *group);

/* Both return the number of the new socket, or an errno negated. */
int32_t group_bind(struct udp_group *group, const char *address, uint16_t port,
                   const struct udp_bind_options *options);
int32_t group_connect(struct udp_group *group, const char *address, uint16_t port);

/* The socket of that number, or NULL if there is none. */
struct udp_socket *group_socket(struct udp_group *group, int32_t number);

void group_close_socket(struct udp_group *group, int32_t number);

/*
 * Takes what is there, without waiting: at most as much as there is room for. Returns the number of records. What
 * was received before is overwritten.
 */
uint32_t group_receive(struct udp_group *group);

/* Sends from a connected socket `length` bytes at `offset`. Returns 0 or an errno negated; never waits. */
int group_send(struct udp_group *group, int32_t number, uint32_t offset, uint32_t length);

/*
 * Sends the first `count` outgoing records, which are for bound sockets, in order; never waits. Returns how many could
 * not be sent; of those, the length has become an errno negated.
 */
uint32_t group_flush(struct udp_group *group, uint32_t count);

#endif
