/*
 * The queue as JavaScript sees it: a handful of functions over an opaque handle. They take what the
 * TypeScript around them has checked, and answer with a number or with a negated errno. There is no state
 * outside the handles, so any thread may load this and open queues of its own.
 */
#include <errno.h>
#include <sys/eventfd.h>

#include "handle.h"

/* Added to what `receive` returns once the queue was told to stop; above any count of packets. */
#define STOPPED (1 << 16)

static napi_value number(napi_env env, int32_t value)
{
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

/* The handle and up to one more argument; NULL with an exception thrown if it is not a handle. */
static struct handle *handle_of(napi_env env, napi_callback_info info, napi_value *second)
{
  napi_value arguments[2];
  size_t count = 2;
  void *handle = NULL;

  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_external(env, arguments[0], &handle));
  *second = arguments[1];
  return handle;
}

/* What `open` is called with, all of them integers, in this order. */
enum {
  QUEUE,
  CAPACITY,
  HEADROOM,
  COPY_RANGE,
  QUEUE_LENGTH,
  FLAGS,
  RECEIVE_BUFFER,
  SEND_BUFFER,
  STOP_FD,
  COALESCE_US,
  OPEN_ARGUMENTS,
};

/* Gives `result` the columns of the batch as typed arrays over its memory, and its packets as `bytes`. */
static napi_value add_columns(napi_env env, napi_value result, napi_value memory, const struct nfq_layout *layout)
{
  const struct {
    const char *name;
    napi_typedarray_type type;
    size_t at;
    size_t length;
  } columns[] = {
    { "bytes", napi_uint8_array, layout->packets, layout->packets_length },
    { "id", napi_uint32_array, layout->id, layout->capacity },
    { "mark", napi_uint32_array, layout->mark, layout->capacity },
    { "offset", napi_uint32_array, layout->offset, layout->capacity },
    { "length", napi_uint32_array, layout->length, layout->capacity },
    { "inputInterface", napi_uint32_array, layout->input_interface, layout->capacity },
    { "etherType", napi_uint16_array, layout->ether_type, layout->capacity },
    { "hook", napi_uint8_array, layout->hook, layout->capacity },
    { "flags", napi_uint8_array, layout->flags, layout->capacity },
    { "verdict", napi_uint8_array, layout->verdict, layout->capacity },
  };

  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    napi_value column;
    TRY(napi_create_typedarray(env, columns[i].type, columns[i].length, memory, columns[i].at, &column));
    TRY(napi_set_named_property(env, result, columns[i].name, column));
  }
  return result;
}

/* open(…integers) → { handle, bytes, id, mark, … } or a negated errno. */
static napi_value open_queue(napi_env env, napi_callback_info info)
{
  napi_value arguments[OPEN_ARGUMENTS];
  int32_t given[OPEN_ARGUMENTS];
  size_t count = OPEN_ARGUMENTS;

  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  for (size_t i = 0; i < OPEN_ARGUMENTS; i++) TRY(napi_get_value_int32(env, arguments[i], &given[i]));

  napi_value result, memory;
  void *bytes;
  struct nfq_layout layout =
    nfq_layout_of((uint32_t)given[CAPACITY], (uint32_t)given[HEADROOM], (uint32_t)given[COPY_RANGE]);
  TRY(napi_create_object(env, &result));
  struct handle *handle = handle_new(env, result);
  if (handle == NULL) return NULL;
  TRY(napi_create_arraybuffer(env, layout.total, &bytes, &memory));
  TRY(napi_create_reference(env, memory, 1, &handle->memory));
  if (add_columns(env, result, memory, &layout) == NULL) return NULL;

  struct nfq_socket_options options = {
    .settings.copy_range = (uint32_t)given[COPY_RANGE],
    .settings.queue_length = (uint32_t)given[QUEUE_LENGTH],
    .settings.flags = (uint32_t)given[FLAGS],
    .receive_buffer = given[RECEIVE_BUFFER],
    .send_buffer = given[SEND_BUFFER],
  };
  struct nfq_batch batch = nfq_batch_in(bytes, &layout);
  int error = nfq_queue_open(&handle->queue, (uint16_t)given[QUEUE], &options, given[STOP_FD],
                             (uint32_t)given[COALESCE_US], batch);
  if (error != 0) return number(env, error);
  handle->open = true;
  return result;
}

/* receive(handle, timeoutMs) → number of packets, STOPPED added if the queue is to stop; or a negated errno. */
static napi_value receive(napi_env env, napi_callback_info info)
{
  napi_value argument;
  int32_t timeout_ms;
  int stopped = 0;
  struct handle *handle = handle_of(env, info, &argument);
  if (handle == NULL) return NULL;
  TRY(napi_get_value_int32(env, argument, &timeout_ms));

  int result = handle_check(handle);
  if (result == 0) result = nfq_receive(&handle->queue, timeout_ms, &stopped);
  return number(env, result >= 0 && stopped ? result | STOPPED : result);
}

/* answer(handle, count) → 0 or a negated errno. */
static napi_value answer(napi_env env, napi_callback_info info)
{
  napi_value argument;
  uint32_t count;
  struct handle *handle = handle_of(env, info, &argument);
  if (handle == NULL) return NULL;
  TRY(napi_get_value_uint32(env, argument, &count));

  int error = handle_check(handle);
  return number(env, error == 0 ? nfq_answer(&handle->queue, count) : error);
}

/* counters(handle) → an object of numbers, since the queue was opened. */
static napi_value counters(napi_env env, napi_callback_info info)
{
  napi_value unused, result;
  struct handle *handle = handle_of(env, info, &unused);
  if (handle == NULL) return NULL;

  const struct nfq_counters *from = &handle->queue.counters;
  const struct {
    const char *name;
    uint64_t value;
  } fields[] = {
    { "packets", from->packets },   { "receives", from->receives }, { "sends", from->sends },
    { "overruns", from->overruns }, { "refused", from->refused },   { "malformed", from->malformed },
  };

  TRY(napi_create_object(env, &result));
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    napi_value value;
    TRY(napi_create_double(env, (double)fields[i].value, &value));
    TRY(napi_set_named_property(env, result, fields[i].name, value));
  }
  return result;
}

/* watch(handle, ready) → 0 or a negated errno; `ready` is called once after each `watchAgain`. */
static napi_value watch(napi_env env, napi_callback_info info)
{
  napi_value ready;
  struct handle *handle = handle_of(env, info, &ready);
  if (handle == NULL) return NULL;
  return number(env, handle->open && !handle->watching ? handle_watch(handle, ready) : -EBADF);
}

/* watchAgain(handle) → 0 or a negated errno. */
static napi_value watch_again(napi_env env, napi_callback_info info)
{
  napi_value unused;
  struct handle *handle = handle_of(env, info, &unused);
  if (handle == NULL) return NULL;
  return number(env, handle->watching ? nfq_watch_again(&handle->watch) : -EBADF);
}

/* close(handle): idempotent. */
static napi_value close_queue(napi_env env, napi_callback_info info)
{
  napi_value unused;
  struct handle *handle = handle_of(env, info, &unused);
  if (handle != NULL) handle_close(handle);
  return NULL;
}

/* createEvent() → a descriptor that is readable once something was written to it, or a negated errno. */
static napi_value create_event(napi_env env, napi_callback_info info)
{
  (void)info;
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return number(env, fd < 0 ? -errno : fd);
}

NAPI_MODULE_INIT()
{
  const napi_property_descriptor functions[] = {
    { .utf8name = "open", .method = open_queue, .attributes = napi_enumerable },
    { .utf8name = "receive", .method = receive, .attributes = napi_enumerable },
    { .utf8name = "answer", .method = answer, .attributes = napi_enumerable },
    { .utf8name = "counters", .method = counters, .attributes = napi_enumerable },
    { .utf8name = "watch", .method = watch, .attributes = napi_enumerable },
    { .utf8name = "watchAgain", .method = watch_again, .attributes = napi_enumerable },
    { .utf8name = "close", .method = close_queue, .attributes = napi_enumerable },
    { .utf8name = "createEvent", .method = create_event, .attributes = napi_enumerable },
  };

  TRY(napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions));
  return exports;
}
