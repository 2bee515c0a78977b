#define _GNU_SOURCE
#include "group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "socket.h"

#define CACHE_LINE 64

/* What never changes between system calls. */
static void arrange(struct udp_group *group)
{
  for (size_t i = 0; i < GROUP_CALL; i++) {
    group->without_addresses[i].msg_hdr.msg_iov = &group->parts[i];
    group->without_addresses[i].msg_hdr.msg_iovlen = 1;
    group->with_addresses[i] = group->without_addresses[i];
    group->with_addresses[i].msg_hdr.msg_name = &group->names[i];
    group->with_addresses[i].msg_hdr.msg_control = group->controls[i];
  }
}

int group_open(struct udp_group *group, uint8_t *memory)
{
  *group = (struct udp_group){
    .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
    .received = (struct udp_record *)memory,
    .outgoing = (struct udp_record *)(memory + GROUP_OUTGOING),
    .bytes = memory + GROUP_BYTES,
    .free = -1,
    .closed = -1,
  };
  if (group->epoll_fd < 0) return -errno;
  arrange(group);
  return 0;
}

void group_close(struct udp_group *group)
{
  for (int32_t number = 0; number < group->socket_count; number++) group_close_socket(group, number);
  free(group->sockets);
  close(group->epoll_fd);
  *group = (struct udp_group){ .epoll_fd = -1, .free = -1, .closed = -1 };
}

/* A number that is free, or -ENOMEM. */
static int32_t take_number(struct udp_group *group)
{
  if (group->free >= 0) {
    int32_t number = group->free;
    group->free = group->sockets[number].next;
    return number;
  }
  if (group->socket_count == group->socket_capacity) {
    int32_t capacity = group->socket_capacity == 0 ? 64 : 2 * group->socket_capacity;
    struct udp_socket *sockets = realloc(group->sockets, (size_t)capacity * sizeof *sockets);
    if (sockets == NULL) return -ENOMEM;
    group->sockets = sockets;
    group->socket_capacity = capacity;
  }
  return group->socket_count++;
}

static int32_t add(struct udp_group *group, const struct udp_socket *socket)
{
  int32_t number = take_number(group);
  if (number < 0) {
    close(socket->fd);
    return number;
  }
  group->sockets[number] = *socket;
  group->open_count++;
  struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)number };
  if (epoll_ctl(group->epoll_fd, EPOLL_CTL_ADD, socket->fd, &event) == 0) return number;
  int error = -errno;
  group_close_socket(group, number);
  return error;
}

int32_t group_bind(struct udp_group *group, const char *address, uint16_t port,
                   const struct udp_bind_options *options)
{
  struct udp_socket socket;
  int error = udp_bind(&socket, address, port, options);
  return error != 0 ? error : add(group, &socket);
}

int32_t group_connect(struct udp_group *group, const char *address, uint16_t port)
{
  struct udp_socket socket;
  int error = udp_connect(&socket, address, port);
  return error != 0 ? error : add(group, &socket);
}

struct udp_socket *group_socket(struct udp_group *group, int32_t number)
{
  if (number < 0 || number >= group->socket_count || group->sockets[number].fd < 0) return NULL;
  return &group->sockets[number];
}

/* Closing the descriptor takes it out of the epoll set: no other descriptor stands for the same socket. */
void group_close_socket(struct udp_group *group, int32_t number)
{
  struct udp_socket *socket = group_socket(group, number);

  if (socket == NULL) return;
  close(socket->fd);
  socket->fd = -1;
  socket->next = group->closed;
  group->closed = number;
  group->open_count--;
}

/* The batch is through: numbers of sockets that were closed meanwhile may be given again. */
static void free_closed(struct udp_group *group)
{
  while (group->closed >= 0) {
    int32_t number = group->closed;
    group->closed = group->sockets[number].next;
    group->sockets[number].next = group->free;
    group->free = number;
  }
}

/*
 * Takes datagrams of one socket in one system call. The first lands at `*used`, each of the others a whole slot
 * further, as nobody knows how long they are; the next call begins where the last one ended. Returns records.
 */
static uint32_t take(struct udp_group *group, int32_t number, struct udp_record *records, uint32_t room,
                     uint32_t *used)
{
  struct udp_socket *socket = &group->sockets[number];
  struct mmsghdr *messages = socket->connected ? group->without_addresses : group->with_addresses;
  uint32_t wanted = socket->expected < room ? socket->expected : room;

  for (uint32_t i = 0; i < wanted; i++) {
    group->parts[i] = (struct iovec){ .iov_base = group->bytes + *used + i * GROUP_SLOT, .iov_len = GROUP_SLOT };
    if (socket->connected) continue;
    messages[i].msg_hdr.msg_namelen = sizeof group->names[i];
    messages[i].msg_hdr.msg_controllen = socket->tells_local ? UDP_CONTROL_MAX : 0;
  }

  int taken = recvmmsg(socket->fd, messages, wanted, MSG_DONTWAIT, NULL);
  if (taken < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    records[0].socket = number;
    records[0].length = -errno;
    return 1;
  }
  for (uint32_t i = 0; i < (uint32_t)taken; i++) {
    records[i].socket = number;
    records[i].offset = *used + i * GROUP_SLOT;
    records[i].length = (int32_t)messages[i].msg_len;
    if (!socket->connected) udp_read_addresses(&records[i], &messages[i].msg_hdr);
  }
  if (taken > 0) {
    const struct udp_record *last = &records[taken - 1];
    *used = (last->offset + (uint32_t)last->length + CACHE_LINE - 1) & ~(uint32_t)(CACHE_LINE - 1);
  }
  /* A call for more than there is costs an attempt in vain; one for less, another wake-up. */
  uint32_t twice = 2 * socket->expected;
  if ((uint32_t)taken == socket->expected) socket->expected = twice < GROUP_CALL ? twice : GROUP_CALL;
  else if ((uint32_t)taken < wanted) socket->expected = taken > 1 ? (uint32_t)taken : 1;
  return (uint32_t)taken;
}

uint32_t group_receive(struct udp_group *group)
{
  uint32_t count = 0, used = 0;

  free_closed(group);
  if (group->ready_next >= group->ready_count) {
    group->ready_next = 0;
    group->ready_count = epoll_wait(group->epoll_fd, group->ready, GROUP_EVENTS, 0);
  }
  while (group->ready_next < group->ready_count) {
    uint32_t room = GROUP_SLOTS - (used + GROUP_SLOT - 1) / GROUP_SLOT;
    if (room == 0) break;
    int32_t number = (int32_t)group->ready[group->ready_next++].data.u32;
    if (group->sockets[number].fd >= 0) count += take(group, number, &group->received[count], room, &used);
  }
  return count;
}

static bool lies_inside(uint32_t offset, uint32_t length)
{
  return length <= GROUP_SLOT && offset <= GROUP_BYTES_LENGTH - length;
}

int group_send(struct udp_group *group, int32_t number, uint32_t offset, uint32_t length)
{
  const struct udp_socket *socket = group_socket(group, number);

  if (socket == NULL) return -EBADF;
  if (!lies_inside(offset, length)) return -EINVAL;
  while (send(socket->fd, group->bytes + offset, length, MSG_DONTWAIT) < 0)
    if (errno != EINTR) return -errno;
  return 0;
}

static void refused(void *records, uint32_t index, int error)
{
  ((struct udp_record *)records)[index].length = -error;
}

/* Sends records of one socket. Returns how many could not be sent. */
static uint32_t send_run(struct udp_group *group, const struct udp_socket *socket, struct udp_record *records,
                         uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    group->parts[i] = (struct iovec){ group->bytes + records[i].offset, (size_t)records[i].length };
    udp_write_addresses(socket, &records[i], &group->with_addresses[i].msg_hdr);
  }
  return count - socket_send(socket->fd, group->with_addresses, count, refused, records);
}

/* How many records from the first on are for the same socket and well-formed; one call takes no more. */
static uint32_t run_length(const struct udp_record *records, uint32_t count)
{
  uint32_t n = 0;

  while (n < count && n < GROUP_CALL && records[n].socket == records[0].socket &&
         lies_inside(records[n].offset, (uint32_t)records[n].length))
    n++;
  return n;
}

uint32_t group_flush(struct udp_group *group, uint32_t count)
{
  uint32_t failed = 0;

  for (uint32_t i = 0; i < count && i < GROUP_RECORDS;) {
    struct udp_record *first = &group->outgoing[i];
    const struct udp_socket *socket = group_socket(group, first->socket);
    uint32_t n = run_length(first, (count < GROUP_RECORDS ? count : GROUP_RECORDS) - i);
    if (socket == NULL || socket->connected || n == 0) {
      first->length = socket == NULL ? -EBADF : -EINVAL;
      failed++;
      i++;
    } else {
      failed += send_run(group, socket, first, n);
      i += n;
    }
  }
  return failed;
}
