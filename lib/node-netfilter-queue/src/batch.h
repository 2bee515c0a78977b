/*
 * A batch: the packets of one receive and the verdicts over them, in one piece of memory that C and
 * JavaScript share. Columns come first, one element per packet; then the packets, end to end as they come,
 * so that small ones lie close together. N is the batch's capacity.
 *
 *   +--------+----------+-------------+-------------+-----------------------+
 *   | id u32 | mark u32 | offset  u32 | length  u32 | input interface   u32 |   each × N
 *   +--------+----------+-------------+-------------+-----------------------+
 *   | ether type u16    | hook     u8 | flags    u8 | verdict            u8 |   each × N
 *   +-------------------+-------------+-------------+-----------------------+
 *   | packet 0 | packet 1 | … | room for N of the greatest | spare: 4 bytes |
 *   +-----------------------------------------------------------------------+
 *
 *   a packet:  | headroom | netlink headers and attributes | payload | to a full cache line |
 *                                                          ^ offset[i], length[i] bytes
 *
 * Once a message is read, everything in front of its payload is free: at least `headroom` bytes. A packet
 * may be moved and may grow into them; whoever does so changes its offset and length. Behind it the next one
 * begins. The spare bytes let a payload at the very end be sent with its padding.
 */
#ifndef NFQ_BATCH_H
#define NFQ_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* Two pieces of memory are sent per verdict, and one sendmsg takes 1024. */
#define NFQ_BATCH_MAX 512

/* Where everything lies, in bytes from the start of the memory. */
struct nfq_layout {
  uint32_t capacity;
  uint32_t headroom;
  size_t id, mark, offset, length, input_interface;
  size_t ether_type;
  size_t hook, flags, verdict;
  size_t packets, packets_length;
  size_t room; /* for the greatest packet */
  size_t total;
};

/* Up to a full cache line. */
size_t nfq_align(size_t size);

struct nfq_layout nfq_layout_of(uint32_t capacity, uint32_t headroom, uint32_t copy_range);

/* The columns of a batch in memory of `layout.total` bytes, aligned to 8. */
struct nfq_batch {
  struct nfq_layout layout;
  uint8_t *packets;
  uint32_t *id, *mark, *offset, *length, *input_interface;
  uint16_t *ether_type;
  uint8_t *hook, *flags, *verdict;
};

struct nfq_batch nfq_batch_in(uint8_t *memory, const struct nfq_layout *layout);

#endif
