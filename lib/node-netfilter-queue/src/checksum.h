/*
 * The checksum of TCP and UDP, computed over the whole packet (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1).
 * It is needed where a packet arrives with only its pseudo-header summed, because the sender left the rest
 * to a network card, and leaves rewritten: then nobody finishes the sum any more.
 */
#ifndef NFQ_CHECKSUM_H
#define NFQ_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sets the TCP or UDP checksum of an IPv4 or IPv6 packet and returns 1. Returns 0 and changes nothing where
 * there is none to set: another protocol, a fragment, UDP over IPv4 without a checksum (0), a source route
 * that is not at its end, or lengths that do not agree with each other.
 */
int nfq_complete_checksum(uint8_t *packet, size_t length);

#endif
