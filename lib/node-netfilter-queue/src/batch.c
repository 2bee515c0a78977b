#include "batch.h"

#include "message.h"

/* A verdict's payload is sent padded to the alignment of netlink. */
#define SPARE NLA_ALIGNTO

#define CACHE_LINE 64

size_t nfq_align(size_t size)
{
  return (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
}

struct nfq_layout nfq_layout_of(uint32_t capacity, uint32_t headroom, uint32_t copy_range)
{
  struct nfq_layout layout = { .capacity = capacity, .headroom = headroom };
  size_t n = capacity;

  layout.id = 0;
  layout.mark = layout.id + 4 * n;
  layout.offset = layout.mark + 4 * n;
  layout.length = layout.offset + 4 * n;
  layout.input_interface = layout.length + 4 * n;
  layout.ether_type = layout.input_interface + 4 * n;
  layout.hook = layout.ether_type + 2 * n;
  layout.flags = layout.hook + n;
  layout.verdict = layout.flags + n;
  layout.packets = nfq_align(layout.verdict + n);
  layout.room = nfq_align((size_t)headroom + NFQ_METADATA_MAX + copy_range);
  layout.packets_length = layout.room * n + SPARE;
  layout.total = layout.packets + layout.packets_length;
  return layout;
}

struct nfq_batch nfq_batch_in(uint8_t *memory, const struct nfq_layout *layout)
{
  return (struct nfq_batch){
    .layout = *layout,
    .packets = memory + layout->packets,
    .id = (uint32_t *)(memory + layout->id),
    .mark = (uint32_t *)(memory + layout->mark),
    .offset = (uint32_t *)(memory + layout->offset),
    .length = (uint32_t *)(memory + layout->length),
    .input_interface = (uint32_t *)(memory + layout->input_interface),
    .ether_type = (uint16_t *)(memory + layout->ether_type),
    .hook = memory + layout->hook,
    .flags = memory + layout->flags,
    .verdict = memory + layout->verdict,
  };
}
