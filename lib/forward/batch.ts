/**
 * The packets of one receive as columns, and the verdicts over them, in the shape in which node-netfilter-queue
 * fills and sends them. Element `i` of each column belongs to packet `i`.
 */

/** Columns of a batch; `verdict` is ours to fill in, of rewritten packets `offset` and `length`, of marked ones `mark`. */
export interface PacketBatch {
  /** Holds every packet of the batch, its IP header first, with `headroom` bytes free in front of it. */
  readonly bytes: Uint8Array;
  readonly id: Uint32Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly mark: Uint32Array;
  /** Where in the kernel the packet was caught: `outputHook` is what this machine sends itself. */
  readonly hook: Uint8Array;
  /** Bits of `PacketFlag`. */
  readonly flags: Uint8Array;
  /** One of `Verdict`, with `completeChecksum` added where it is needed. */
  readonly verdict: Uint8Array;
}

/** NF_INET_LOCAL_OUT. */
export const outputHook = 3;

/** What the kernel says of a packet: NFQA_SKB_INFO's bits, and one of the binding's own. */
export const PacketFlag = { checksumNotReady: 0x01, gso: 0x02, truncated: 0x80 } as const;

/** Added to the flags of what this machine sends itself. */
export const ownPacket = 0x40;

/** What is sent back. `rewritten` is acceptance of the bytes that stand in the batch, `marked` of the packet as it
 * came, with the mark that stands there. */
export const Verdict = {
  drop: 0x00,
  accept: 0x01,
  rewritten: 0x11,
  marked: 0x21,
  /** Never sent: the packet stays in the kernel's queue until a later verdict over its id. */
  none: 0xff,
} as const;

/** Added to `Verdict.rewritten`: the binding computes the L4 checksum over the packet before it is sent. */
export const completeChecksum = 0x40;
