/*
 * Tells an event loop that a queue has packets: a thread of its own sleeps on the queue's socket, calls
 * `ready` once and then keeps quiet until it is asked to watch again. The event loop's thread pool is left
 * alone, and nothing depends on the event loop's own kind.
 */
#ifndef NFQ_WATCH_H
#define NFQ_WATCH_H

#include <pthread.h>

struct nfq_watch {
  pthread_t thread;
  int epoll_fd;
  int watched_fd;
  int stop_fd;
  void (*ready)(void *context); /* runs on the watch's thread */
  void *context;
};

/* Starts the thread, keeping quiet. Returns 0 or an errno negated. */
int nfq_watch_start(struct nfq_watch *watch, int fd, void (*ready)(void *context), void *context);

/* `ready` is to be called at the next packet, or at once if one is there. Returns 0 or an errno negated. */
int nfq_watch_again(struct nfq_watch *watch);

/* Ends the thread and waits for it; `ready` is not called any more. */
void nfq_watch_stop(struct nfq_watch *watch);

#endif
