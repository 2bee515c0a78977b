/** The numbers that stand in a batch's columns, under the names the kernel's headers give them. */

/** What happens to a packet. Bits of {@link VerdictFlag} may be added. */
export const Verdict = {
  drop: 0,
  accept: 1,
  /** The packet enters the hook again from its first rule; change its mark, or it comes round for ever. */
  repeat: 4,
} as const;

/** What else a verdict asks for; added to {@link Verdict}. */
export const VerdictFlag = {
  /** The bytes at the packet's offset and length in the batch replace it; there may be more than before. */
  rewritten: 0x10,
  /** The batch's mark replaces the packet's. */
  mark: 0x20,
  /** The TCP or UDP checksum of a rewritten packet is computed from scratch before it is sent. */
  checksum: 0x40,
} as const;

/** What is special about a packet that was received. */
export const PacketFlag = {
  /** Only the pseudo-header is summed in its TCP or UDP checksum; the rest was left to a network card. */
  checksumNotReady: 0x01,
  /** It is larger than the link takes and will be cut into segments on its way out. */
  gso: 0x02,
  /** Nobody has looked yet whether its checksum is right. */
  checksumNotVerified: 0x04,
  /** Its end is missing, because it is longer than the copy range. Accepted rewritten, it would lose that end. */
  truncated: 0x80,
} as const;

/** Where in the kernel a packet was when a rule sent it to the queue. */
export const Hook = {
  prerouting: 0,
  input: 1,
  forward: 2,
  output: 3,
  postrouting: 4,
} as const;

/** What kind of packet it is. */
export const EtherType = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
} as const;
