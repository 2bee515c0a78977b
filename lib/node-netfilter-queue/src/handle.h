/*
 * What JavaScript holds on to: a queue, the memory of its batch and perhaps a watch. It closes when it is
 * told to, when JavaScript forgets it, or when its environment (the process or a worker thread) ends.
 */
#ifndef NFQ_HANDLE_H
#define NFQ_HANDLE_H

#include <node_api.h>
#include <try.h>

#include "queue.h"
#include "watch.h"

struct handle {
  napi_env env;
  struct nfq_queue queue;
  napi_ref memory; /* the ArrayBuffer behind queue.batch */
  bool open;
  bool watching;
  struct nfq_watch watch;
  napi_threadsafe_function ready;
};

/* A closed handle, held by the property `handle` of `holder`; NULL with an exception pending if that fails. */
struct handle *handle_new(napi_env env, napi_value holder);

/* 0 if the queue is open and its batch is still its own, or an errno negated. */
int handle_check(struct handle *handle);

/* Calls `ready` on the event loop once after each nfq_watch_again. Returns 0 or an errno negated. */
int handle_watch(struct handle *handle, napi_value ready);

/* Idempotent. */
void handle_close(struct handle *handle);

#endif
