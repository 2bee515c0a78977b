#include "checksum.h"

#include <netinet/in.h>
#include <string.h>

/* The transport segment of an IP packet, and the addresses of its pseudo-header: source, then destination. */
struct segment {
  const uint8_t *addresses;
  size_t addresses_length;
  uint8_t *bytes;
  size_t length;
  uint8_t protocol;
};

static uint16_t read16(const uint8_t *bytes)
{
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static int find_in_ipv4(uint8_t *packet, size_t length, struct segment *segment)
{
  if (length < 20) return 0;
  size_t header_length = (packet[0] & 0x0f) * 4u;
  size_t total_length = read16(packet + 2);
  int fragment = (read16(packet + 6) & 0x3fff) != 0;
  if (header_length < 20 || total_length < header_length || total_length > length || fragment) return 0;

  *segment = (struct segment){
    .addresses = packet + 12,
    .addresses_length = 8,
    .bytes = packet + header_length,
    .length = total_length - header_length,
    .protocol = packet[9],
  };
  return 1;
}

/* Walks over extension headers: next header, length in units of 8 bytes after the first 8, content. */
static int find_in_ipv6(uint8_t *packet, size_t length, struct segment *segment)
{
  if (length < 40) return 0;
  size_t end = 40 + (size_t)read16(packet + 4);
  if (end > length) return 0;

  uint8_t protocol = packet[6];
  size_t at = 40;
  while (protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS) {
    if (end - at < 8) return 0;
    size_t header_length = (packet[at + 1] + 1u) * 8;
    int segments_left = protocol == IPPROTO_ROUTING && packet[at + 3] != 0;
    if (header_length > end - at || segments_left) return 0;
    protocol = packet[at];
    at += header_length;
  }

  *segment = (struct segment){
    .addresses = packet + 8,
    .addresses_length = 32,
    .bytes = packet + at,
    .length = end - at,
    .protocol = protocol,
  };
  return 1;
}

/*
 * The sum of 16-bit words in one's complement does not care for byte order nor for how words are grouped
 * (RFC 1071 §2), so four bytes are added at a time as they lie, and the sum is folded at the end.
 * 2^14 additions, as many as a packet can ask for, fit in 64 bits many times over.
 */
static uint64_t add(uint64_t sum, const uint8_t *bytes, size_t length)
{
  for (; length >= 4; bytes += 4, length -= 4) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    sum += word;
  }
  uint32_t rest = 0;
  memcpy(&rest, bytes, length);
  return sum + rest;
}

static uint16_t fold(uint64_t sum)
{
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)sum;
}

/* The checksum as it lies in memory, field set to zero beforehand. */
static uint16_t checksum_of(const struct segment *segment)
{
  uint32_t length = htonl((uint32_t)segment->length);
  uint32_t protocol = htonl(segment->protocol);
  uint64_t sum = (uint64_t)length + protocol;

  sum = add(sum, segment->addresses, segment->addresses_length);
  sum = add(sum, segment->bytes, segment->length);
  return (uint16_t)~fold(sum);
}

int nfq_complete_checksum(uint8_t *packet, size_t length)
{
  struct segment segment;
  size_t field;

  if (length == 0) return 0;
  int version = packet[0] >> 4;
  int found = version == 4   ? find_in_ipv4(packet, length, &segment)
              : version == 6 ? find_in_ipv6(packet, length, &segment)
                             : 0;
  if (!found) return 0;

  if (segment.protocol == IPPROTO_TCP) {
    field = 16;
    if (segment.length < 20) return 0;
  } else if (segment.protocol == IPPROTO_UDP) {
    field = 6;
    if (segment.length < 8 || read16(segment.bytes + 4) != segment.length) return 0;
    if (version == 4 && read16(segment.bytes + field) == 0) return 0;
  } else {
    return 0;
  }

  memset(segment.bytes + field, 0, 2);
  uint16_t checksum = checksum_of(&segment);
  if (checksum == 0 && segment.protocol == IPPROTO_UDP) checksum = 0xffff;
  memcpy(segment.bytes + field, &checksum, sizeof checksum);
  return 1;
}
