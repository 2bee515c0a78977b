/* What raw and UDP sockets have in common. */
#ifndef SOCKETS_SOCKET_H
#define SOCKETS_SOCKET_H

#include <stdint.h>
#include <sys/socket.h>

/* Sizes of buffers, in bytes: beyond the system's limit where we are privileged, up to it where we are not. */
void socket_set_receive_buffer(int fd, int bytes);
void socket_set_send_buffer(int fd, int bytes);

/*
 * Sends messages in order, without waiting, each on its own merits: one that the kernel refuses is told to `refused`
 * with its errno, and the next has its turn. Returns how many the kernel took.
 */
uint32_t socket_send(int fd, struct mmsghdr *messages, uint32_t count,
                     void (*refused)(void *context, uint32_t index, int error), void *context);

#endif
