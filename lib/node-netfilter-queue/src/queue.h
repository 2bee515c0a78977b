/*
 * A queue: batches of packets out of the kernel, batches of verdicts back. It works on a batch (batch.h)
 * that belongs to the caller, and on one thread; only its `stop_fd` may be signalled by others.
 */
#ifndef NFQ_QUEUE_H
#define NFQ_QUEUE_H

#include <sys/socket.h>

#include "batch.h"
#include "message.h"
#include "pace.h"
#include "socket.h"

/* One sendmsg carries at most this much, less if the socket's send buffer is smaller. */
#define NFQ_SEND_MAX (256 * 1024)

/* The verdict column: one of NF_DROP (0), NF_ACCEPT (1) and NF_REPEAT (4), and any of these bits. */
#define NFQ_VERDICT_MASK 0x0f
#define NFQ_REWRITTEN 0x10 /* offset and length of the batch tell the bytes that replace the packet */
#define NFQ_MARK 0x20      /* the mark of the batch replaces the packet's */
#define NFQ_CHECKSUM 0x40  /* the TCP or UDP checksum of a rewritten packet is completed first */

struct nfq_counters {
  uint64_t packets;
  uint64_t receives; /* batches */
  uint64_t sends;    /* system calls that took verdicts */
  uint64_t overruns; /* ENOBUFS, either way */
  uint64_t refused;  /* verdicts that the kernel did not know what to do with */
  uint64_t malformed;
};

/* One verdict, ready to be sent: its head, and the payload if it has one. */
struct nfq_outgoing {
  struct iovec parts[2];
};

struct nfq_queue {
  int fd;
  int stop_fd; /* readable once the queue is to stop, or -1 */
  uint16_t number;
  size_t send_limit;
  unsigned receives_without_wait;
  struct nfq_pace pace;
  struct nfq_batch batch;
  struct nfq_counters counters;
  /* One each per packet of a batch. */
  struct nfq_outgoing *outgoing;
  uint8_t (*heads)[NFQ_VERDICT_HEAD_MAX];
};

/*
 * Opens a queue over a batch that outlives it. `stop_fd` is duplicated; -1 if nobody will ask to stop.
 * `coalesce_us` is the gap between receives under dense traffic (pace.h), 0 for none. Returns 0 or an errno
 * negated: those of nfq_socket_open, ENOMEM, or EBADF for a bad `stop_fd`.
 */
int nfq_queue_open(struct nfq_queue *queue, uint16_t number, const struct nfq_socket_options *options, int stop_fd,
                   uint32_t coalesce_us, struct nfq_batch batch);

/* Gives everything back but the batch. The kernel drops what waits in the queue. */
void nfq_queue_close(struct nfq_queue *queue);

/*
 * Fills the batch with what is there; if nothing is, waits up to `timeout_ms` (-1: without end). Every
 * packet's verdict is NF_DROP to begin with. Returns the number of packets or -errno. `stopped` becomes 1
 * when `stop_fd` was seen to be readable, which ends the wait and takes no packet away.
 */
int nfq_receive(struct nfq_queue *queue, int timeout_ms, int *stopped);

/*
 * Sends the first `count` verdicts of the batch, in order. Returns 0 or -errno; -EINVAL, before anything is
 * sent, if a rewritten packet's offset and length point outside the batch or its length is 0 or too much.
 */
int nfq_answer(struct nfq_queue *queue, uint32_t count);

#endif
