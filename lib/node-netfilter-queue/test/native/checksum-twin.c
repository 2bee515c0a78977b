/*
 * The checksum against a naive twin that adds byte by byte, over random packets of every shape it knows, and
 * against noise. Each packet lies alone in memory that ends where it ends.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/checksum.h"
#include "random.h"

#define ROUNDS 30000
#define LONGEST 1600

#define TCP 6
#define UDP 17
#define ROUTING 43
#define DESTINATION_OPTIONS 60

static void write16(uint8_t *bytes, size_t value)
{
  bytes[0] = (uint8_t)(value >> 8);
  bytes[1] = (uint8_t)value;
}

/* RFC 1071: 16-bit big-endian words, an odd last byte padded with zero, carries added at once. */
static uint32_t naive_sum(uint32_t sum, const uint8_t *bytes, size_t length)
{
  for (size_t i = 0; i < length; i++) {
    sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

/* Of the whole packet with its checksum in it: 0xffff if that is right. */
static uint32_t naive_check(const uint8_t *addresses, size_t addresses_length, uint8_t protocol,
                            const uint8_t *segment, size_t length)
{
  uint8_t pseudo[] = { 0, protocol, (uint8_t)(length >> 8), (uint8_t)length };
  uint32_t sum = naive_sum(0, addresses, addresses_length);
  return naive_sum(naive_sum(sum, pseudo, sizeof pseudo), segment, length);
}

static void write_segment(uint8_t *segment, uint8_t protocol, size_t length)
{
  fill_random(segment, length);
  if (protocol == UDP) write16(segment + 4, length);
}

static void check_ipv4(void)
{
  uint8_t protocol = below(2) ? TCP : UDP;
  size_t header = 20 + 4 * below(11);
  size_t segment = 20 + below(LONGEST - 100);
  size_t padding = below(3) ? 0 : below(20);
  uint8_t *packet = malloc(header + segment + padding);

  assert(packet != NULL);
  fill_random(packet, header + segment + padding);
  packet[0] = (uint8_t)(0x40 | header / 4);
  write16(packet + 2, header + segment);
  write16(packet + 6, below(2) ? 0x4000 : 0);
  packet[9] = protocol;
  write_segment(packet + header, protocol, segment);

  assert(nfq_complete_checksum(packet, header + segment + padding) == 1);
  assert(naive_check(packet + 12, 8, protocol, packet + header, segment) == 0xffff);
  free(packet);
}

static void check_ipv6(void)
{
  uint8_t protocol = below(2) ? TCP : UDP;
  size_t options = below(3) ? 0 : 8 * (1 + below(5));
  size_t routing = below(3) ? 0 : 8 * (1 + below(3));
  size_t segment = 20 + below(LONGEST - 300);
  size_t total = 40 + options + routing + segment;
  uint8_t *packet = malloc(total);

  assert(packet != NULL);
  fill_random(packet, total);
  packet[0] = 0x60;
  write16(packet + 4, options + routing + segment);
  packet[6] = options ? DESTINATION_OPTIONS : routing ? ROUTING : protocol;
  if (options) {
    packet[40] = routing ? ROUTING : protocol;
    packet[41] = (uint8_t)(options / 8 - 1);
  }
  if (routing) {
    packet[40 + options] = protocol;
    packet[41 + options] = (uint8_t)(routing / 8 - 1);
    packet[43 + options] = 0;
  }
  write_segment(packet + total - segment, protocol, segment);

  assert(nfq_complete_checksum(packet, total) == 1);
  assert(naive_check(packet + 8, 32, protocol, packet + total - segment, segment) == 0xffff);
  if (routing) {
    packet[43 + options] = 1;
    assert(nfq_complete_checksum(packet, total) == 0);
  }
  free(packet);
}

/* A sum that comes out as zero is sent as all ones in UDP, since zero would mean that there is none. */
static void check_udp_zero(void)
{
  uint8_t packet[28] = { 0x45, 0, 0, 28, [9] = UDP };

  write16(packet + 24, 8);
  write16(packet + 20, 0xffff - UDP - 8 - 8);
  write16(packet + 26, 1);
  assert(nfq_complete_checksum(packet, sizeof packet) == 1);
  assert(packet[26] == 0xff && packet[27] == 0xff);

  write16(packet + 26, 0);
  assert(nfq_complete_checksum(packet, sizeof packet) == 0);
}

static void check_fragments(void)
{
  uint8_t packet[40] = { 0x45, 0, 0, 40, [9] = TCP };

  assert(nfq_complete_checksum(packet, sizeof packet) == 1);
  write16(packet + 6, 0x2000);
  assert(nfq_complete_checksum(packet, sizeof packet) == 0);
  write16(packet + 6, 0x0001);
  assert(nfq_complete_checksum(packet, sizeof packet) == 0);
}

static void check_noise(void)
{
  size_t length = below(120);
  uint8_t *packet = malloc(length ? length : 1);
  uint8_t before[120];

  assert(packet != NULL);
  fill_random(packet, length);
  if (length > 9 && below(2)) {
    packet[0] = below(2) ? 0x45 : 0x60;
    packet[2] = packet[4] = packet[7] = 0;
    packet[6] = packet[9] = below(2) ? UDP : TCP;
  }
  memcpy(before, packet, length);
  if (!nfq_complete_checksum(packet, length)) assert(memcmp(before, packet, length) == 0);
  free(packet);
}

int main(void)
{
  check_udp_zero();
  check_fragments();
  for (int round = 0; round < ROUNDS; round++) {
    check_ipv4();
    check_ipv6();
    check_noise();
  }
}
