/*
 * What JavaScript holds on to: a queue, the memory of its batch and perhaps a watch. It closes when it is
 * told to, when JavaScript forgets it, or when its environment (the process or a worker thread) ends.
 */
#ifndef NFQ_HANDLE_H
#define NFQ_HANDLE_H

#include <node_api.h>

#include "queue.h"
#include "watch.h"

/* Leaves the function with a JavaScript exception if a Node-API call fails. */
#define TRY(call)                                  \
  do {                                             \
    if (!succeeded(env, (call))) return NULL;      \
  } while (0)

/* 1, or 0 with a JavaScript exception pending. */
int succeeded(napi_env env, napi_status status);

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
