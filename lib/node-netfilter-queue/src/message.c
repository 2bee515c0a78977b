#include "message.h"

#include <arpa/inet.h>
#include <string.h>

/* The headers that every message of this subsystem begins with. */
struct head {
  struct nlmsghdr netlink;
  struct nfgenmsg netfilter;
};

static uint32_t read32(const uint8_t *bytes)
{
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return ntohl(value);
}

static uint16_t read16(const uint8_t *bytes)
{
  uint16_t value;
  memcpy(&value, bytes, sizeof value);
  return ntohs(value);
}

/* An attribute of 32 bits, or 0 when it is shorter. */
static uint32_t value32(const uint8_t *value, size_t length)
{
  return length >= sizeof(uint32_t) ? read32(value) : 0;
}

static enum nfq_kind read_packet(const uint8_t *bytes, size_t length, struct nfq_packet *packet)
{
  size_t at = sizeof(struct head);
  int has_header = 0;

  memset(packet, 0, sizeof *packet);
  while (at + NLA_HDRLEN <= length) {
    struct nlattr attribute;
    memcpy(&attribute, bytes + at, sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > length - at) return NFQ_MALFORMED;

    const uint8_t *value = bytes + at + NLA_HDRLEN;
    size_t value_length = attribute.nla_len - NLA_HDRLEN;
    switch (attribute.nla_type & NLA_TYPE_MASK) {
    case NFQA_PACKET_HDR:
      if (value_length < sizeof(struct nfqnl_msg_packet_hdr)) return NFQ_MALFORMED;
      packet->id = read32(value + offsetof(struct nfqnl_msg_packet_hdr, packet_id));
      packet->ether_type = read16(value + offsetof(struct nfqnl_msg_packet_hdr, hw_protocol));
      packet->hook = value[offsetof(struct nfqnl_msg_packet_hdr, hook)];
      has_header = 1;
      break;
    case NFQA_MARK:
      packet->mark = value32(value, value_length);
      break;
    case NFQA_IFINDEX_INDEV:
      packet->input_interface = value32(value, value_length);
      break;
    case NFQA_SKB_INFO:
      packet->flags |= value32(value, value_length) & (NFQ_TRUNCATED - 1);
      break;
    case NFQA_CAP_LEN:
      packet->flags |= NFQ_TRUNCATED;
      break;
    case NFQA_PAYLOAD:
      packet->payload = value - bytes;
      packet->payload_length = value_length;
      break;
    }
    at += NLA_ALIGN(attribute.nla_len);
  }
  return has_header ? NFQ_PACKET : NFQ_MALFORMED;
}

enum nfq_kind nfq_read(const uint8_t *bytes, size_t length, struct nfq_packet *packet)
{
  struct nlmsghdr netlink;

  if (length < sizeof netlink) return NFQ_MALFORMED;
  memcpy(&netlink, bytes, sizeof netlink);
  if (netlink.nlmsg_type == NLMSG_ERROR) return NFQ_ERROR;
  if (netlink.nlmsg_len < sizeof netlink || netlink.nlmsg_len > length) return NFQ_MALFORMED;
  if (netlink.nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET)) return NFQ_OTHER;
  if (netlink.nlmsg_len < sizeof(struct head)) return NFQ_MALFORMED;
  return read_packet(bytes, netlink.nlmsg_len, packet);
}

int nfq_read_error(const uint8_t *bytes, size_t length)
{
  int32_t error;

  if (length < NLMSG_HDRLEN + sizeof error) return 0;
  memcpy(&error, bytes + NLMSG_HDRLEN, sizeof error);
  return error < 0 && error > INT32_MIN ? -error : 0;
}

/* A message under construction: where it stands and how long it is so far. */
struct draft {
  uint8_t *bytes;
  size_t length;
};

static struct draft begin(uint8_t *bytes, int type, uint16_t queue)
{
  struct head head = {
    .netlink = { .nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type, .nlmsg_flags = NLM_F_REQUEST },
    .netfilter = { .version = NFNETLINK_V0, .res_id = htons(queue) },
  };
  memcpy(bytes, &head, sizeof head);
  return (struct draft){ bytes, sizeof head };
}

static void put_head(struct draft *draft, int type, size_t value_length)
{
  struct nlattr attribute = { .nla_len = NLA_HDRLEN + value_length, .nla_type = type };
  memcpy(draft->bytes + draft->length, &attribute, sizeof attribute);
  draft->length += sizeof attribute;
}

static void put(struct draft *draft, int type, const void *value, size_t length)
{
  put_head(draft, type, length);
  memcpy(draft->bytes + draft->length, value, length);
  memset(draft->bytes + draft->length + length, 0, NLA_ALIGN(length) - length);
  draft->length += NLA_ALIGN(length);
}

static void put32(struct draft *draft, int type, uint32_t value)
{
  uint32_t big_endian = htonl(value);
  put(draft, type, &big_endian, sizeof big_endian);
}

/* Closes the message, which goes on for `rest` more bytes elsewhere; returns what stands here. */
static size_t end(struct draft *draft, size_t rest)
{
  uint32_t total = draft->length + rest;
  memcpy(draft->bytes + offsetof(struct nlmsghdr, nlmsg_len), &total, sizeof total);
  return draft->length;
}

size_t nfq_write_probe(uint8_t bytes[NFQ_CONFIG_MAX])
{
  struct draft draft = begin(bytes, NFQNL_MSG_CONFIG, 0);
  struct nfqnl_msg_config_cmd command = { .command = NFQNL_CFG_CMD_PF_BIND };

  put(&draft, NFQA_CFG_CMD, &command, sizeof command);
  return end(&draft, 0);
}

size_t nfq_write_bind(uint8_t bytes[NFQ_CONFIG_MAX], uint16_t queue, const struct nfq_settings *settings)
{
  struct draft draft = begin(bytes, NFQNL_MSG_CONFIG, queue);
  struct nfqnl_msg_config_cmd command = { .command = NFQNL_CFG_CMD_BIND };
  struct nfqnl_msg_config_params params = {
    .copy_range = htonl(settings->copy_range),
    .copy_mode = NFQNL_COPY_PACKET,
  };

  put(&draft, NFQA_CFG_CMD, &command, sizeof command);
  put(&draft, NFQA_CFG_PARAMS, &params, sizeof params);
  put32(&draft, NFQA_CFG_QUEUE_MAXLEN, settings->queue_length);
  if (settings->flags != 0) {
    put32(&draft, NFQA_CFG_MASK, settings->flags);
    put32(&draft, NFQA_CFG_FLAGS, settings->flags);
  }
  return end(&draft, 0);
}

size_t nfq_write_verdict(uint8_t bytes[NFQ_VERDICT_HEAD_MAX], uint16_t queue, const struct nfq_verdict *verdict)
{
  struct draft draft = begin(bytes, NFQNL_MSG_VERDICT, queue);
  struct nfqnl_msg_verdict_hdr header = { .verdict = htonl(verdict->verdict), .id = htonl(verdict->id) };

  put(&draft, NFQA_VERDICT_HDR, &header, sizeof header);
  if (verdict->mark != NULL) put32(&draft, NFQA_MARK, *verdict->mark);
  if (verdict->payload_length != 0) put_head(&draft, NFQA_PAYLOAD, verdict->payload_length);
  return end(&draft, NLA_ALIGN(verdict->payload_length));
}
