#define _GNU_SOURCE
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "checksum.h"

/* Under load a receive never waits and so never looks at `stop_fd`; every so many times it does anyway. */
#define RECEIVES_BETWEEN_STOP_CHECKS 32

static int allocate(struct nfq_queue *queue)
{
  uint32_t capacity = queue->batch.layout.capacity;

  queue->outgoing = calloc(capacity, sizeof *queue->outgoing);
  queue->heads = calloc(capacity, sizeof *queue->heads);
  if (queue->outgoing == NULL || queue->heads == NULL) return -ENOMEM;
  for (uint32_t i = 0; i < capacity; i++) queue->outgoing[i].parts[0].iov_base = queue->heads[i];
  return 0;
}

int nfq_queue_open(struct nfq_queue *queue, uint16_t number, const struct nfq_socket_options *options, int stop_fd,
                   uint32_t coalesce_us, struct nfq_batch batch)
{
  *queue = (struct nfq_queue){ .fd = -1, .stop_fd = -1, .number = number, .batch = batch };
  int error = allocate(queue);

  if (error == 0 && stop_fd >= 0) {
    queue->stop_fd = fcntl(stop_fd, F_DUPFD_CLOEXEC, 0);
    if (queue->stop_fd < 0) error = -errno;
  }
  if (error == 0) {
    queue->fd = nfq_socket_open(number, options);
    if (queue->fd < 0) error = queue->fd;
  }
  if (error != 0) {
    nfq_queue_close(queue);
    return error;
  }
  size_t limit = nfq_socket_send_limit(queue->fd);
  queue->send_limit = limit < NFQ_SEND_MAX ? limit : NFQ_SEND_MAX;
  nfq_pace_start(&queue->pace, coalesce_us);
  return 0;
}

void nfq_queue_close(struct nfq_queue *queue)
{
  if (queue->fd >= 0) close(queue->fd);
  if (queue->stop_fd >= 0) close(queue->stop_fd);
  free(queue->outgoing);
  free(queue->heads);
  *queue = (struct nfq_queue){ .fd = -1, .stop_fd = -1 };
}

/* Waits for packets or for the word to stop, whichever is first; a signal ends the wait early. */
static int wait_for_packets(struct nfq_queue *queue, int timeout_ms, int *stopped)
{
  struct pollfd ready[2] = {
    { .fd = queue->fd, .events = POLLIN },
    { .fd = queue->stop_fd, .events = POLLIN }, /* poll skips a negative descriptor */
  };

  queue->receives_without_wait = 0;
  if (poll(ready, 2, timeout_ms) < 0 && errno != EINTR) return -errno;
  *stopped = ready[1].revents != 0;
  return 0;
}

/* Takes a message without waiting. Returns its length or -errno; -EAGAIN is none. */
static ssize_t take_message(struct nfq_queue *queue, uint8_t *bytes, size_t room)
{
  for (;;) {
    ssize_t length = recv(queue->fd, bytes, room, MSG_DONTWAIT);

    if (length >= 0) return length;
    if (errno == ENOBUFS) queue->counters.overruns++;
    else if (errno != EINTR) return -errno;
  }
}

/* Reads a message into the columns if it is a packet, which is then packet `i`. Returns how many it is. */
static int read_message(struct nfq_queue *queue, const uint8_t *bytes, size_t length, uint32_t i)
{
  struct nfq_batch *batch = &queue->batch;
  struct nfq_packet packet;

  switch (nfq_read(bytes, length, &packet)) {
  case NFQ_PACKET:
    batch->id[i] = packet.id;
    batch->mark[i] = packet.mark;
    batch->offset[i] = (uint32_t)(bytes - batch->packets) + packet.payload;
    batch->length[i] = packet.payload_length;
    batch->input_interface[i] = packet.input_interface;
    batch->ether_type[i] = packet.ether_type;
    batch->hook[i] = packet.hook;
    batch->flags[i] = packet.flags;
    batch->verdict[i] = NF_DROP;
    return 1;
  case NFQ_ERROR:
    if (nfq_read_error(bytes, length) != 0) queue->counters.refused++;
    return 0;
  case NFQ_MALFORMED:
    queue->counters.malformed++;
    return 0;
  case NFQ_OTHER:
    return 0;
  }
  return 0;
}

/*
 * Takes what lies in the socket, each packet right behind the one before. A call for each message costs less
 * than one recvmmsg for all, which copies a header in and out for each, and needs to be told beforehand where
 * each shall land. Returns the number of packets, or -errno if there is not one message.
 */
static int take_packets(struct nfq_queue *queue)
{
  const struct nfq_layout *layout = &queue->batch.layout;
  uint8_t *next = queue->batch.packets + layout->headroom;
  size_t room = layout->room - layout->headroom;
  uint32_t count = 0;

  for (uint32_t taken = 0; taken < layout->capacity; taken++) {
    ssize_t length = take_message(queue, next, room);

    if (length < 0 && taken == 0) return (int)length;
    if (length < 0) break;
    if (read_message(queue, next, (size_t)length, count) == 0) continue;
    next += nfq_align((size_t)length + layout->headroom);
    count++;
  }
  queue->counters.receives++;
  queue->counters.packets += count;
  nfq_pace_count(&queue->pace, count);
  return (int)count;
}

int nfq_receive(struct nfq_queue *queue, int timeout_ms, int *stopped)
{
  nfq_pace_wait(&queue->pace);
  int taken = take_packets(queue);
  int empty = taken == -EAGAIN;

  *stopped = 0;
  if (empty || ++queue->receives_without_wait == RECEIVES_BETWEEN_STOP_CHECKS) {
    int error = wait_for_packets(queue, empty ? timeout_ms : 0, stopped);
    if (error != 0) return error;
  }
  if (empty) taken = take_packets(queue);
  return taken == -EAGAIN ? 0 : taken;
}

static int lies_inside(const struct nfq_layout *layout, size_t offset, size_t length)
{
  return length > 0 && length <= NFQ_PAYLOAD_MAX && offset + NLA_ALIGN(length) <= layout->packets_length;
}

/* Writes verdict `i` of the batch where it can be sent from. Returns 0 or -EINVAL. */
static int write_verdict(struct nfq_queue *queue, uint32_t i)
{
  struct nfq_batch *batch = &queue->batch;
  struct iovec *head = &queue->outgoing[i].parts[0];
  struct iovec *payload = &queue->outgoing[i].parts[1];
  uint8_t code = batch->verdict[i];
  struct nfq_verdict verdict = {
    .id = batch->id[i],
    .verdict = code & NFQ_VERDICT_MASK,
    .mark = code & NFQ_MARK ? &batch->mark[i] : NULL,
    .payload_length = code & NFQ_REWRITTEN ? batch->length[i] : 0,
  };

  payload->iov_base = NULL;
  payload->iov_len = 0;
  if (code & NFQ_REWRITTEN) {
    if (!lies_inside(&batch->layout, batch->offset[i], batch->length[i])) return -EINVAL;
    payload->iov_base = batch->packets + batch->offset[i];
    payload->iov_len = NLA_ALIGN(batch->length[i]);
    if (code & NFQ_CHECKSUM) nfq_complete_checksum(payload->iov_base, batch->length[i]);
  }
  head->iov_len = nfq_write_verdict(queue->heads[i], queue->number, &verdict);
  return 0;
}

/* How many verdicts from `first` on, at least one, fit in one datagram. */
static uint32_t fitting(const struct nfq_queue *queue, uint32_t first, uint32_t count)
{
  size_t bytes = 0;
  uint32_t i = first;

  for (; i < count; i++) {
    const struct iovec *parts = queue->outgoing[i].parts;
    bytes += parts[0].iov_len + parts[1].iov_len;
    if (bytes > queue->send_limit && i > first) break;
  }
  return i - first;
}

/*
 * Sends verdicts laid end to end in one datagram, which the kernel walks. If it finds the datagram too
 * large or has no memory for it, two halves have a better chance; a single verdict becomes a plain drop,
 * so that its packet does not wait in the queue for ever.
 */
static int send_verdicts(struct nfq_queue *queue, uint32_t first, uint32_t count)
{
  struct msghdr datagram = {
    .msg_iov = queue->outgoing[first].parts,
    .msg_iovlen = 2 * (size_t)count,
  };

  queue->counters.sends++;
  while (sendmsg(queue->fd, &datagram, 0) < 0) {
    if (errno == EINTR) continue;
    if (errno != EMSGSIZE && errno != ENOBUFS) return -errno;
    queue->counters.overruns++;
    if (count > 1) {
      uint32_t half = count / 2;
      int error = send_verdicts(queue, first, half);
      return error != 0 ? error : send_verdicts(queue, first + half, count - half);
    }
    if (queue->batch.verdict[first] == NF_DROP) return 0;
    queue->batch.verdict[first] = NF_DROP;
    write_verdict(queue, first);
    return send_verdicts(queue, first, 1);
  }
  return 0;
}

int nfq_answer(struct nfq_queue *queue, uint32_t count)
{
  if (count > queue->batch.layout.capacity) return -EINVAL;
  for (uint32_t i = 0; i < count; i++) {
    int error = write_verdict(queue, i);
    if (error != 0) return error;
  }
  for (uint32_t first = 0; first < count;) {
    uint32_t fit = fitting(queue, first, count);
    int error = send_verdicts(queue, first, fit);
    if (error != 0) return error;
    first += fit;
  }
  return 0;
}
