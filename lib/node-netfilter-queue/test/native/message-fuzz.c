/*
 * The reader of messages against bytes that no kernel sends: packets with random attributes, then bent, cut
 * or drowned in noise. Each lies alone in memory that ends where it ends, so that a sanitizer sees any step
 * outside; whatever is accepted must lie inside.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/message.h"
#include "random.h"

#define ROUNDS 100000
#define LONGEST 600

static size_t put(uint8_t *bytes, size_t at, uint16_t type, uint16_t length)
{
  struct nlattr attribute = { .nla_len = (uint16_t)(NLA_HDRLEN + length), .nla_type = type };
  size_t end = at + NLA_ALIGN((size_t)NLA_HDRLEN + length);

  if (end > LONGEST) return at;
  memcpy(bytes + at, &attribute, sizeof attribute);
  fill_random(bytes + at + NLA_HDRLEN, end - at - NLA_HDRLEN);
  return end;
}

/* A message as the kernel might lay it out: a packet header and a dozen attributes at most. */
static size_t write_plausible(uint8_t *bytes)
{
  size_t length = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg);
  uint32_t attributes = below(12);

  memset(bytes, 0, length);
  length = put(bytes, length, NFQA_PACKET_HDR, sizeof(struct nfqnl_msg_packet_hdr));
  for (uint32_t i = 0; i < attributes; i++)
    length = put(bytes, length, (uint16_t)below(NFQA_MAX + 2), (uint16_t)(below(4) ? below(9) : below(300)));

  struct nlmsghdr netlink = {
    .nlmsg_len = (uint32_t)length,
    .nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET,
  };
  memcpy(bytes, &netlink, sizeof netlink);
  return length;
}

static void bend(uint8_t *bytes, size_t length)
{
  static const uint8_t nasty[] = { 0, 1, 3, 4, 5, 0x7f, 0x80, 0xff };

  for (uint32_t i = below(6); i > 0; i--)
    bytes[below((uint32_t)length)] = below(2) ? (uint8_t)next_random() : nasty[below(sizeof nasty)];
}

static void check(const uint8_t *bytes, size_t length)
{
  uint8_t *alone = malloc(length ? length : 1);
  struct nfq_packet packet;

  assert(alone != NULL);
  memcpy(alone, bytes, length);
  if (nfq_read(alone, length, &packet) == NFQ_PACKET)
    assert((size_t)packet.payload + packet.payload_length <= length);
  assert(nfq_read_error(alone, length) >= 0);
  free(alone);
}

/* The reader must take what is right, or the rest of this test proves nothing. */
static void check_plain_packet(void)
{
  uint8_t bytes[LONGEST];
  size_t length = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg);
  struct nlmsghdr netlink = { .nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET };
  struct nfqnl_msg_packet_hdr header = { .packet_id = htonl(77), .hw_protocol = htons(0x86dd), .hook = 2 };
  struct nfq_packet packet;

  size_t header_at = length + NLA_HDRLEN;
  length = put(bytes, length, NFQA_PACKET_HDR, sizeof header);
  memcpy(bytes + header_at, &header, sizeof header);
  size_t mark_at = length + NLA_HDRLEN;
  length = put(bytes, length, NFQA_MARK, 4);
  memcpy(bytes + mark_at, "\x12\x34\x56\x78", 4);
  size_t payload_at = length + NLA_HDRLEN;
  length = put(bytes, length, NFQA_PAYLOAD, 41);
  netlink.nlmsg_len = (uint32_t)length;
  memcpy(bytes, &netlink, sizeof netlink);

  assert(nfq_read(bytes, length, &packet) == NFQ_PACKET);
  assert(packet.id == 77 && packet.ether_type == 0x86dd && packet.hook == 2 && packet.mark == 0x12345678);
  assert(packet.payload == payload_at && packet.payload_length == 41 && packet.flags == 0);
  for (size_t cut = 0; cut < length; cut++) assert(nfq_read(bytes, cut, &packet) == NFQ_MALFORMED);
}

int main(void)
{
  uint8_t bytes[LONGEST];

  check_plain_packet();
  for (int round = 0; round < ROUNDS; round++) {
    size_t length = write_plausible(bytes);
    check(bytes, length);
    bend(bytes, length);
    check(bytes, length);
    check(bytes, below((uint32_t)length + 1));
    fill_random(bytes + sizeof(struct nlmsghdr), length - sizeof(struct nlmsghdr));
    check(bytes, length);
    fill_random(bytes, length);
    check(bytes, length);
  }
}
