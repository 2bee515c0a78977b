/*
 * The few functions of libuv that Node's event loop is watched by. Node exports them, and they are the same in all of
 * libuv 1.x, but the headers of Node-API leave them out.
 */
#ifndef SOCKETS_UV_H
#define SOCKETS_UV_H

#include <stddef.h>

struct uv_loop_s;
typedef struct uv_handle_s uv_handle_t;
typedef struct uv_poll_s uv_poll_t;

enum { UV_POLL = 8 };     /* of uv_handle_type */
enum { UV_READABLE = 1 }; /* of uv_poll_event */

size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_t *handle, void *data);
void *uv_handle_get_data(const uv_handle_t *handle);
void uv_close(uv_handle_t *handle, void (*closed)(uv_handle_t *handle));

int uv_poll_init(struct uv_loop_s *loop, uv_poll_t *poll, int fd);
int uv_poll_start(uv_poll_t *poll, int events, void (*ready)(uv_poll_t *poll, int status, int events));
int uv_poll_stop(uv_poll_t *poll);

#endif
