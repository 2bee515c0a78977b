#define _GNU_SOURCE
#include "group-addon.h"

#include <errno.h>
#include <stdlib.h>

#include "group.h"
#include "uv.h"
#include "values.h"

/*
 * What JavaScript holds on to. The event loop watches the group's epoll descriptor, and as long as a socket is open
 * that keeps it running. It is freed once JavaScript has forgotten it and the event loop has let go of it.
 */
struct mover {
  napi_env env;
  struct udp_group group;
  napi_ref memory;   /* the ArrayBuffer that the group works on */
  napi_ref on_batch;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  uv_poll_t *poll;   /* NULL once the event loop has let go */
  bool closed;
  bool forgotten;
};

static void free_if_done(struct mover *mover)
{
  if (mover->poll == NULL && mover->forgotten) free(mover);
}

static void let_go(uv_handle_t *handle)
{
  struct mover *mover = uv_handle_get_data(handle);

  free(handle);
  mover->poll = NULL;
  napi_remove_async_cleanup_hook(mover->cleanup);
  free_if_done(mover);
}

static void mover_close(struct mover *mover)
{
  if (mover->closed) return;
  mover->closed = true;
  group_close(&mover->group);
  napi_delete_reference(mover->env, mover->memory);
  napi_delete_reference(mover->env, mover->on_batch);
  napi_async_destroy(mover->env, mover->context);
  if (mover->poll != NULL) uv_close((uv_handle_t *)mover->poll, let_go);
}

/* The process, or the thread, ends. */
static void clean_up(napi_async_cleanup_hook_handle handle, void *data)
{
  (void)handle;
  mover_close(data);
}

static void finalize(napi_env env, void *data, void *hint)
{
  struct mover *mover = data;

  (void)env;
  (void)hint;
  mover->forgotten = true;
  mover_close(mover);
  free_if_done(mover);
}

/* A transferred ArrayBuffer has no length left: its memory is somebody else's. */
static bool owns_memory(const struct mover *mover)
{
  napi_value memory;
  void *bytes;
  size_t length = 0;

  return napi_get_reference_value(mover->env, mover->memory, &memory) == napi_ok &&
         napi_get_arraybuffer_info(mover->env, memory, &bytes, &length) == napi_ok && length == GROUP_MEMORY;
}

/* Hands a batch over. What JavaScript throws goes where everything goes that nobody catches. */
static void call_on_batch(const struct mover *mover, uint32_t count)
{
  napi_env env = mover->env;
  napi_value receiver, on_batch, argument, error;

  napi_get_global(env, &receiver);
  napi_get_reference_value(env, mover->on_batch, &on_batch);
  napi_create_uint32(env, count, &argument);
  if (napi_make_callback(env, mover->context, receiver, on_batch, 1, &argument, NULL) == napi_ok) return;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

/* One batch, so that others on the event loop have their turn; it comes back at once if there is more. */
static void on_ready(uv_poll_t *poll, int status, int events)
{
  struct mover *mover = uv_handle_get_data((uv_handle_t *)poll);
  napi_handle_scope scope;

  (void)status;
  (void)events;
  if (napi_open_handle_scope(mover->env, &scope) != napi_ok) return;
  uint32_t count = owns_memory(mover) ? group_receive(&mover->group) : 0;
  if (count > 0) call_on_batch(mover, count);
  napi_close_handle_scope(mover->env, scope);
}

/* Watches the group, which has no socket yet. Returns 0 or an errno negated. */
static int start(struct mover *mover)
{
  struct uv_loop_s *loop;

  if (napi_get_uv_event_loop(mover->env, &loop) != napi_ok) return -ENOTSUP;
  uv_poll_t *poll = malloc(uv_handle_size(UV_POLL));
  if (poll == NULL) return -ENOMEM;
  int error = uv_poll_init(loop, poll, mover->group.epoll_fd);
  if (error != 0) {
    free(poll);
    return error;
  }
  uv_handle_set_data((uv_handle_t *)poll, mover);
  mover->poll = poll;
  return 0;
}

static napi_value add_view(napi_env env, napi_value result, const char *name, napi_typedarray_type type,
                           size_t length, napi_value memory, size_t at)
{
  napi_value view;

  TRY(napi_create_typedarray(env, type, length, memory, at, &view));
  TRY(napi_set_named_property(env, result, name, view));
  return result;
}

/* A mover that nothing is open in, held by the property `handle` of `holder`; NULL with an exception pending. */
static struct mover *mover_new(napi_env env, napi_value holder)
{
  napi_value handle;
  struct mover *mover = calloc(1, sizeof *mover);

  if (mover == NULL) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  *mover = (struct mover){ .env = env, .closed = true };
  if (!succeeded(env, napi_create_external(env, mover, finalize, NULL, &handle))) {
    free(mover);
    return NULL;
  }
  TRY(napi_set_named_property(env, holder, "handle", handle));
  return mover;
}

/* openGroup(onBatch) → { handle, received, outgoing, bytes }, or a negated errno. */
static napi_value open_group(napi_env env, napi_callback_info info)
{
  const size_t words = GROUP_OUTGOING / sizeof(int32_t);
  napi_value on_batch, memory, name, result;
  size_t count = 1;
  void *bytes;

  TRY(napi_get_cb_info(env, info, &count, &on_batch, NULL, NULL));
  TRY(napi_create_object(env, &result));
  TRY(napi_create_string_utf8(env, "UDP group", NAPI_AUTO_LENGTH, &name));
  TRY(napi_create_arraybuffer(env, GROUP_MEMORY, &bytes, &memory));
  if (add_view(env, result, "received", napi_int32_array, words, memory, 0) == NULL ||
      add_view(env, result, "outgoing", napi_int32_array, words, memory, GROUP_OUTGOING) == NULL ||
      add_view(env, result, "bytes", napi_uint8_array, GROUP_BYTES_LENGTH, memory, GROUP_BYTES) == NULL)
    return NULL;

  struct mover *mover = mover_new(env, result);
  if (mover == NULL) return NULL;
  TRY(napi_create_reference(env, memory, 1, &mover->memory));
  TRY(napi_create_reference(env, on_batch, 1, &mover->on_batch));
  TRY(napi_async_init(env, NULL, name, &mover->context));
  int error = group_open(&mover->group, bytes);
  if (error != 0) return number(env, error);
  mover->closed = false;
  error = start(mover);
  if (error == 0 && napi_add_async_cleanup_hook(env, clean_up, mover, &mover->cleanup) != napi_ok) error = -ENOMEM;
  if (error == 0) return result;
  mover_close(mover);
  return number(env, error);
}

/* The mover that is the first of `count` arguments, all of which are read; NULL with an exception pending. */
static struct mover *mover_of(napi_env env, napi_callback_info info, napi_value *arguments, size_t count)
{
  void *mover;

  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_external(env, arguments[0], &mover));
  return mover;
}

/* Whether it is watched depends on there being a socket. */
static int32_t opened(struct mover *mover, int32_t result)
{
  if (result >= 0 && mover->group.open_count == 1) uv_poll_start(mover->poll, UV_READABLE, on_ready);
  return result;
}

static void closed(struct mover *mover)
{
  if (mover->group.open_count == 0) uv_poll_stop(mover->poll);
}

/* An address in text, and a NULL if it cannot be read. What is too long to be one is cut, and none. */
static napi_value read_address(napi_env env, napi_value argument, char *into, size_t size)
{
  TRY(napi_get_value_string_utf8(env, argument, into, size, NULL));
  return argument;
}

#define ADDRESS_MAX 80

/* bindUdp(handle, address, port, onlyIpv6, tellsLocal, receiveBuffer, sendBuffer) → number, or a negated errno. */
static napi_value bind_udp(napi_env env, napi_callback_info info)
{
  napi_value arguments[7];
  char address[ADDRESS_MAX];
  int32_t given[5];
  struct mover *mover = mover_of(env, info, arguments, 7);

  if (mover == NULL || read_address(env, arguments[1], address, sizeof address) == NULL ||
      integers(env, arguments + 2, 5, given) == NULL)
    return NULL;
  if (mover->closed) return number(env, -EBADF);
  const struct udp_bind_options options = {
    .only_ipv6 = given[1] != 0,
    .tells_local = given[2] != 0,
    .receive_buffer = given[3],
    .send_buffer = given[4],
  };
  return number(env, opened(mover, group_bind(&mover->group, address, (uint16_t)given[0], &options)));
}

/* connectUdp(handle, address, port) → number, or a negated errno. */
static napi_value connect_udp(napi_env env, napi_callback_info info)
{
  napi_value arguments[3];
  char address[ADDRESS_MAX];
  int32_t port;
  struct mover *mover = mover_of(env, info, arguments, 3);

  if (mover == NULL || read_address(env, arguments[1], address, sizeof address) == NULL ||
      integers(env, arguments + 2, 1, &port) == NULL)
    return NULL;
  if (mover->closed) return number(env, -EBADF);
  return number(env, opened(mover, group_connect(&mover->group, address, (uint16_t)port)));
}

/* closeUdp(handle, number): idempotent. */
static napi_value close_udp(napi_env env, napi_callback_info info)
{
  napi_value arguments[2];
  int32_t socket;
  struct mover *mover = mover_of(env, info, arguments, 2);

  if (mover == NULL || integers(env, arguments + 1, 1, &socket) == NULL || mover->closed) return NULL;
  group_close_socket(&mover->group, socket);
  closed(mover);
  return NULL;
}

/* portOf(handle, number) → the port that it is bound to, or a negated errno. */
static napi_value port_of(napi_env env, napi_callback_info info)
{
  napi_value arguments[2];
  int32_t given;
  struct mover *mover = mover_of(env, info, arguments, 2);

  if (mover == NULL || integers(env, arguments + 1, 1, &given) == NULL) return NULL;
  const struct udp_socket *socket = group_socket(&mover->group, given);
  return number(env, socket == NULL ? -EBADF : udp_port(socket));
}

/* sendUdp(handle, number, offset, length) → 0 or a negated errno. */
static napi_value send_udp(napi_env env, napi_callback_info info)
{
  napi_value arguments[4];
  int32_t given[3];
  struct mover *mover = mover_of(env, info, arguments, 4);

  if (mover == NULL || integers(env, arguments + 1, 3, given) == NULL) return NULL;
  if (mover->closed || !owns_memory(mover)) return number(env, -EBADF);
  return number(env, group_send(&mover->group, given[0], (uint32_t)given[1], (uint32_t)given[2]));
}

/* flushUdp(handle, count) → how many could not be sent, or a negated errno. */
static napi_value flush_udp(napi_env env, napi_callback_info info)
{
  napi_value arguments[2];
  int32_t count;
  struct mover *mover = mover_of(env, info, arguments, 2);

  if (mover == NULL || integers(env, arguments + 1, 1, &count) == NULL) return NULL;
  if (mover->closed || !owns_memory(mover)) return number(env, -EBADF);
  return number(env, group_flush(&mover->group, (uint32_t)count));
}

/* closeGroup(handle): closes all its sockets; idempotent. */
static napi_value close_group(napi_env env, napi_callback_info info)
{
  napi_value argument;
  struct mover *mover = mover_of(env, info, &argument, 1);

  if (mover != NULL) mover_close(mover);
  return NULL;
}

napi_value group_addon(napi_env env, napi_value exports)
{
  const napi_property_descriptor functions[] = {
    { .utf8name = "openGroup", .method = open_group, .attributes = napi_enumerable },
    { .utf8name = "bindUdp", .method = bind_udp, .attributes = napi_enumerable },
    { .utf8name = "connectUdp", .method = connect_udp, .attributes = napi_enumerable },
    { .utf8name = "closeUdp", .method = close_udp, .attributes = napi_enumerable },
    { .utf8name = "portOf", .method = port_of, .attributes = napi_enumerable },
    { .utf8name = "sendUdp", .method = send_udp, .attributes = napi_enumerable },
    { .utf8name = "flushUdp", .method = flush_udp, .attributes = napi_enumerable },
    { .utf8name = "closeGroup", .method = close_group, .attributes = napi_enumerable },
  };

  TRY(napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions));
  return exports;
}
