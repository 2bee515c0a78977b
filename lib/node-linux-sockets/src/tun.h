/*
 * A TUN device: what is written to it arrives on this machine as if by a wire, and what the machine routes to
 * it can be read. Packets are IP packets, with nothing in front of their headers.
 */
#ifndef SOCKETS_TUN_H
#define SOCKETS_TUN_H

#include <net/if.h>

#include "packets.h"

/*
 * Makes a device called `name` (a %d in it becomes the first free number) that lives as long as the descriptor.
 * Its name is written back. An `mtu` of 0 leaves the system's. Returns a descriptor or an errno negated: ENOENT,
 * ENXIO or ENODEV where there is no TUN; EPERM or EACCES; EBUSY for a name that is taken.
 */
int tun_open(char name[IFNAMSIZ], int mtu);

/* Writes packets that lie inside their bytes. Returns how many the device took; counts those and the others. */
uint32_t tun_write(int fd, const struct packets *packets, struct packet_counters *counters);

/* Reads one packet, cut to `size`. Returns its length, 0 if there is none, or an errno negated. */
int tun_read(int fd, uint8_t *into, size_t size);

#endif
