/*
 * The netlink socket that owns a queue: opened, sized and bound in one call. The kernel answers a request
 * before `sendmsg` returns, and only if it refuses it; silence is consent.
 */
#ifndef NFQ_SOCKET_H
#define NFQ_SOCKET_H

#include "message.h"

struct nfq_socket_options {
  struct nfq_settings settings;
  int receive_buffer; /* bytes the kernel may hold for us; what it grants may be less */
  int send_buffer;
};

/*
 * Returns a descriptor, or an errno negated:
 *   EPERM            this process may not configure netfilter (CAP_NET_ADMIN)
 *   EBUSY            another socket owns the queue
 *   EPROTONOSUPPORT  the kernel has no NFQUEUE
 *   EOPNOTSUPP       the kernel's NFQUEUE lacks a flag that was asked for
 *   others           as the system calls give them
 */
int nfq_socket_open(uint16_t queue, const struct nfq_socket_options *options);

/* The largest datagram that the socket's send buffer takes; larger ones fail with EMSGSIZE. */
size_t nfq_socket_send_limit(int fd);

#endif
