/*
 * Raw sockets and TUN devices as JavaScript sees them: a handful of functions over an opaque handle. They take what
 * the TypeScript around them has checked, and answer with a number or with a negated errno. There is no state
 * outside the handles, so any thread may load this and have sockets of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "group-addon.h"
#include "packets.h"
#include "raw.h"
#include "tun.h"
#include "values.h"

/* A raw socket, or a TUN device, whose family is 0. Closed when it is told to, or when JavaScript forgets it. */
struct handle {
  int fd; /* -1 once it is closed */
  int family;
  struct packet_counters counters;
};

static void handle_close(struct handle *handle)
{
  if (handle->fd >= 0) close(handle->fd);
  handle->fd = -1;
}

static void finalize(napi_env env, void *data, void *hint)
{
  (void)env;
  (void)hint;
  handle_close(data);
  free(data);
}

/* A handle that owns the descriptor; NULL with an exception pending if that fails, the descriptor closed. */
static napi_value handle_new(napi_env env, int fd, int family)
{
  napi_value external;
  struct handle *handle = calloc(1, sizeof *handle);

  if (handle == NULL) {
    close(fd);
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  *handle = (struct handle){ .fd = fd, .family = family };
  if (succeeded(env, napi_create_external(env, handle, finalize, NULL, &external))) return external;
  finalize(env, handle, NULL);
  return NULL;
}

/* The data of a typed array of `type`, and how many elements it has; NULL with an exception pending otherwise. */
static void *column(napi_env env, napi_value array, napi_typedarray_type type, size_t *length)
{
  napi_typedarray_type given;
  void *data;

  TRY(napi_get_typedarray_info(env, array, &given, length, &data, NULL, NULL));
  if (given == type) return data != NULL ? data : "";
  napi_throw_type_error(env, NULL, "a column has another type");
  return NULL;
}

/* openRaw(family, mark, sendBufferBytes) → handle, or a negated errno. */
static napi_value open_raw(napi_env env, napi_callback_info info)
{
  napi_value arguments[3];
  size_t count = 3;
  int32_t family, send_buffer;
  uint32_t mark;

  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_int32(env, arguments[0], &family));
  TRY(napi_get_value_uint32(env, arguments[1], &mark));
  TRY(napi_get_value_int32(env, arguments[2], &send_buffer));

  int fd = raw_open(family, mark, send_buffer);
  return fd < 0 ? number(env, fd) : handle_new(env, fd, family);
}

/* openTun(name, mtu) → { handle, name }, or a negated errno. */
static napi_value open_tun(napi_env env, napi_callback_info info)
{
  napi_value arguments[2], result, handle, chosen;
  size_t count = 2;
  char name[IFNAMSIZ];
  int32_t mtu;

  memset(name, 0, sizeof name);
  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_string_utf8(env, arguments[0], name, sizeof name, NULL));
  TRY(napi_get_value_int32(env, arguments[1], &mtu));

  int fd = tun_open(name, mtu);
  if (fd < 0) return number(env, fd);
  if ((handle = handle_new(env, fd, 0)) == NULL) return NULL;
  TRY(napi_create_object(env, &result));
  TRY(napi_set_named_property(env, result, "handle", handle));
  TRY(napi_create_string_utf8(env, name, strnlen(name, sizeof name), &chosen));
  TRY(napi_set_named_property(env, result, "name", chosen));
  return result;
}

/* send(handle, bytes, offsets, lengths, count) → how many were taken, or a negated errno. */
static napi_value send_packets(napi_env env, napi_callback_info info)
{
  napi_value arguments[5];
  size_t count = 5, offsets, lengths;
  void *data;
  struct packets packets;

  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_external(env, arguments[0], &data));
  TRY(napi_get_value_uint32(env, arguments[4], &packets.count));
  if ((packets.bytes = column(env, arguments[1], napi_uint8_array, &packets.size)) == NULL) return NULL;
  if ((packets.offsets = column(env, arguments[2], napi_uint32_array, &offsets)) == NULL) return NULL;
  if ((packets.lengths = column(env, arguments[3], napi_uint32_array, &lengths)) == NULL) return NULL;

  struct handle *handle = data;
  if (packets.count > offsets || packets.count > lengths || !packets_lie_inside(&packets)) return number(env, -EINVAL);
  return number(env, handle->family == 0 ? tun_write(handle->fd, &packets, &handle->counters)
                                         : raw_send(handle->fd, handle->family, &packets, &handle->counters));
}

/* read(handle, into) → the length of the packet that was read, 0 if there is none, or a negated errno. */
static napi_value read_packet(napi_env env, napi_callback_info info)
{
  napi_value arguments[2];
  size_t count = 2, size;
  void *handle;
  uint8_t *into;

  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_external(env, arguments[0], &handle));
  if ((into = column(env, arguments[1], napi_uint8_array, &size)) == NULL) return NULL;
  return number(env, tun_read(((struct handle *)handle)->fd, into, size));
}

/* counters(handle) → an object of numbers, since it was opened. */
static napi_value counters(napi_env env, napi_callback_info info)
{
  napi_value argument, result;
  size_t count = 1;
  void *handle;

  TRY(napi_get_cb_info(env, info, &count, &argument, NULL, NULL));
  TRY(napi_get_value_external(env, argument, &handle));
  const struct packet_counters *from = &((struct handle *)handle)->counters;
  const struct {
    const char *name;
    uint64_t value;
  } fields[] = {
    { "sent", from->sent },         { "tooLarge", from->too_large }, { "unreachable", from->unreachable },
    { "noRoom", from->no_room },    { "refused", from->refused },
  };

  TRY(napi_create_object(env, &result));
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    TRY(napi_set_named_property(env, result, fields[i].name, number(env, (double)fields[i].value)));
  return result;
}

/* close(handle): idempotent. */
static napi_value close_handle(napi_env env, napi_callback_info info)
{
  napi_value argument;
  size_t count = 1;
  void *handle;

  TRY(napi_get_cb_info(env, info, &count, &argument, NULL, NULL));
  TRY(napi_get_value_external(env, argument, &handle));
  handle_close(handle);
  return NULL;
}

NAPI_MODULE_INIT()
{
  const napi_property_descriptor functions[] = {
    { .utf8name = "openRaw", .method = open_raw, .attributes = napi_enumerable },
    { .utf8name = "openTun", .method = open_tun, .attributes = napi_enumerable },
    { .utf8name = "send", .method = send_packets, .attributes = napi_enumerable },
    { .utf8name = "read", .method = read_packet, .attributes = napi_enumerable },
    { .utf8name = "counters", .method = counters, .attributes = napi_enumerable },
    { .utf8name = "close", .method = close_handle, .attributes = napi_enumerable },
  };

  TRY(napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions));
  return group_addon(env, exports);
}
