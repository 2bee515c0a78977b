/*
 * Messages of the kernel's packet queue (nfnetlink_queue), as bytes. Nothing here makes a system call,
 * and the reader never looks outside the bytes it was given, whatever they hold.
 *
 * Every message has two headers and then attributes. The netlink header, lengths and types are in host
 * order; what netfilter added (res_id and the values of the attributes) is in network order.
 *
 *    0               1               2               3
 *   +---------------+---------------+---------------+---------------+
 *   | nlmsg_len: this header and everything after it                |  struct nlmsghdr
 *   | nlmsg_type: subsystem << 8 | m| nlmsg_flags                   |
 *   | nlmsg_seq                                                     |
 *   | nlmsg_pid                                                     |
 *   +---------------+---------------+---------------+---------------+
 *   | nfgen_family  | version: 0    | res_id: number of the queue   |  struct nfgenmsg
 *   +---------------+---------------+---------------+---------------+
 *   | nla_len: these 4 and the value| nla_type                      |  struct nlattr, any number of them
 *   | value, then zeros up to a multiple of 4                       |
 *   +---------------------------------------------------------------+
 */
#ifndef NFQ_MESSAGE_H
#define NFQ_MESSAGE_H

#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* Headers and attributes of a packet's message without its payload: the kernel's sum comes to less. */
#define NFQ_METADATA_MAX 512

/* nla_len has 16 bits, so a payload ends here, in both directions. */
#define NFQ_PAYLOAD_MAX (UINT16_MAX - NLA_HDRLEN)

#define NFQ_CONFIG_MAX 64
#define NFQ_VERDICT_HEAD_MAX 48

/* Set in nfq_packet.flags besides the bits of NFQA_SKB_INFO: the payload is only the packet's beginning. */
#define NFQ_TRUNCATED 0x80

/* What one message says about one packet; `payload` counts from the first byte of the message. */
struct nfq_packet {
  uint32_t id;
  uint32_t mark;
  uint32_t input_interface;
  uint32_t payload;
  uint32_t payload_length;
  uint16_t ether_type;
  uint8_t hook;
  uint8_t flags;
};

enum nfq_kind {
  NFQ_MALFORMED,
  NFQ_PACKET,
  NFQ_ERROR, /* a request was refused; netlink sends these unasked */
  NFQ_OTHER,
};

/* Reads the first message in the bytes. `packet` is complete if the answer is NFQ_PACKET, else undefined. */
enum nfq_kind nfq_read(const uint8_t *bytes, size_t length, struct nfq_packet *packet);

/* The errno of a message of kind NFQ_ERROR; 0 is an acknowledgement, or too short to say. */
int nfq_read_error(const uint8_t *bytes, size_t length);

/* What the kernel is asked to do with a queue that is being opened. */
struct nfq_settings {
  uint32_t copy_range;
  uint32_t queue_length;
  uint32_t flags; /* NFQA_CFG_F_* */
};

/* Asks for nothing; the kernel refuses it to whoever may not configure queues. Returns the length. */
size_t nfq_write_probe(uint8_t bytes[NFQ_CONFIG_MAX]);

/* Takes the queue and configures it in one step, so that no packet meets it half open. Returns the length. */
size_t nfq_write_bind(uint8_t bytes[NFQ_CONFIG_MAX], uint16_t queue, const struct nfq_settings *settings);

/* One verdict. The payload's own bytes, padded to 4, are to follow the head when `payload_length` is not 0. */
struct nfq_verdict {
  uint32_t id;
  uint32_t verdict; /* NF_DROP, NF_ACCEPT, NF_REPEAT */
  const uint32_t *mark; /* NULL leaves the packet's mark alone */
  uint32_t payload_length;
};

/* Writes all of a verdict but its payload; returns the length. */
size_t nfq_write_verdict(uint8_t bytes[NFQ_VERDICT_HEAD_MAX], uint16_t queue, const struct nfq_verdict *verdict);

#endif
