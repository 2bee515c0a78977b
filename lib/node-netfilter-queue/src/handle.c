#include "handle.h"

#include <errno.h>
#include <stdlib.h>

static void stop_watching(void *context)
{
  struct handle *handle = context;

  nfq_watch_stop(&handle->watch);
  napi_release_threadsafe_function(handle->ready, napi_tsfn_abort);
  handle->watching = false;
}

void handle_close(struct handle *handle)
{
  if (handle->watching) {
    napi_remove_env_cleanup_hook(handle->env, stop_watching, handle);
    stop_watching(handle);
  }
  if (handle->open) nfq_queue_close(&handle->queue);
  handle->open = false;
  if (handle->memory != NULL) napi_delete_reference(handle->env, handle->memory);
  handle->memory = NULL;
}

static void finalize(napi_env env, void *data, void *hint)
{
  (void)env;
  (void)hint;
  handle_close(data);
  free(data);
}

struct handle *handle_new(napi_env env, napi_value holder)
{
  napi_value external;
  struct handle *handle = calloc(1, sizeof *handle);

  if (handle == NULL) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  handle->env = env;
  if (!succeeded(env, napi_create_external(env, handle, finalize, NULL, &external))) {
    free(handle);
    return NULL;
  }
  TRY(napi_set_named_property(env, holder, "handle", external));
  return handle;
}

/* A transferred ArrayBuffer has no length left: its memory is somebody else's. */
static bool owns_memory(const struct handle *handle)
{
  napi_value memory;
  void *bytes;
  size_t length = 0;

  return napi_get_reference_value(handle->env, handle->memory, &memory) == napi_ok &&
         napi_get_arraybuffer_info(handle->env, memory, &bytes, &length) == napi_ok &&
         length == handle->queue.batch.layout.total;
}

int handle_check(struct handle *handle)
{
  if (!handle->open) return -EBADF;
  return owns_memory(handle) ? 0 : -EFAULT;
}

/* On the watch's thread. */
static void call_ready(void *context)
{
  struct handle *handle = context;
  napi_call_threadsafe_function(handle->ready, NULL, napi_tsfn_nonblocking);
}

int handle_watch(struct handle *handle, napi_value ready)
{
  napi_env env = handle->env;
  napi_value name;

  if (napi_create_string_utf8(env, "netfilter queue", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, ready, NULL, name, 0, 1, NULL, NULL, NULL, NULL, &handle->ready) != napi_ok)
    return -ENOMEM;
  int error = nfq_watch_start(&handle->watch, handle->queue.fd, call_ready, handle);
  if (error != 0) {
    napi_release_threadsafe_function(handle->ready, napi_tsfn_abort);
    return error;
  }
  handle->watching = true;
  /* Being younger than the thread-safe function, the hook runs before that is taken away. */
  napi_add_env_cleanup_hook(env, stop_watching, handle);
  return 0;
}
