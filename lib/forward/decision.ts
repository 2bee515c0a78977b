/** What a mode (NAT, direct server return) is to the forwarder: the part that says what becomes of one packet. */
import type { Packet } from '../packet/packet.ts';

/**
 * The policy: which endpoint (its number) takes the new flow that `packet` begins at a VIP; 0 if none may. It may
 * read the packet and keep nothing of it.
 */
export type Pick = (vip: number, packet: Packet) => number;

/** Decides over packets one by one. The fields tell of the packet that was decided over last. */
export interface Decision<Tables> {
  /** Number of the VIP that it was for; 0: none known. */
  vip: number;
  /** Where it begins now, and how long it is; only if it was rewritten. */
  readonly start: number;
  readonly length: number;
  /** The mark that it goes on with; only if it was given one. */
  readonly mark: number;

  /** Goes over to another generation. Numbers in use must mean in it what they meant before. */
  use(tables: Tables): void;

  /**
   * Decides over `packet`, a whole one or a first fragment, which stands in `view` and came with the kernel's `flags`;
   * rewrites it, and answers with a `Reason`. `hash` is the tracker's, of TCP and UDP packets.
   */
  decide(view: DataView, packet: Packet, hash: number, flags: number, nowMs: number): number;

  /** Writes down, in `keptWords` of `kept`, what it did to the packet that it has just decided over. */
  remember(kept: Int32Array): void;

  /** Does the same to `packet`, a later fragment, from what stands at `at` in `kept`. Answers with a `Reason`. */
  repeat(view: DataView, packet: Packet, kept: Int32Array, at: number, nowMs: number): number;
}
