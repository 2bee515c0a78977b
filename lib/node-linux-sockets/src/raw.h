/*
 * A socket that sends whole IP packets of one family, header and all, to wherever their own headers say. It
 * receives nothing.
 */
#ifndef SOCKETS_RAW_H
#define SOCKETS_RAW_H

#include "packets.h"

/*
 * `family` is 4 or 6; `mark` is that of every packet sent, 0 for none; `send_buffer` is in bytes. Returns a
 * descriptor or an errno negated: EPERM without CAP_NET_RAW (and, for a mark, CAP_NET_ADMIN), EAFNOSUPPORT.
 */
int raw_open(int family, uint32_t mark, int send_buffer);

/* Sends packets that lie inside their bytes. Returns how many the kernel took; counts those and the others. */
uint32_t raw_send(int fd, int family, const struct packets *packets, struct packet_counters *counters);

#endif
