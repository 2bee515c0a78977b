/**
 * The far end of a balancer's tunnels, for a kernel that has none of its own: a batch of tunnel packets in, each
 * answered by the packet inside it.
 *
 *   decapsulate ─▶ is it for a VIP? ─┬─ as the stack expects it ──▶ verdict: rewritten, to what was inside
 *                                    └─ otherwise ────────────────▶ verdict: drop, and into `arrivals`
 *
 * Between the hook and its transport the stack goes by what it has noted of the outer header: its family and where it
 * ends. A packet of another family, or with another length of header, has to arrive anew, from a device; so does a
 * fragment, which the kernel's conntrack wants to see whole. Nothing is allocated per packet and nothing thrown.
 */
import { familyOf, writeAddress } from '../packet/address.ts';
import { decapsulate, TunnelOutcome, TunnelPacket, tunnelOutcomes } from '../packet/decapsulate.ts';
import { Ipv4 } from '../packet/ipv4.ts';
import { fragmentHeader, hopByHop, Ipv6 } from '../packet/ipv6.ts';
import { mappedWord, Outcome } from '../packet/packet.ts';
import { AddressIndex } from './address-index.ts';
import { type PacketBatch, PacketFlag, Verdict } from './batch.ts';

/** What becomes of a tunnel packet: it is delivered, or this is why not. */
export const decapsulationReasons = [
  'delivered',
  ...tunnelOutcomes.slice(1),
  'not-for-vip',
  'no-device',
] as const;

const notForVip = tunnelOutcomes.length;
const noDevice = notForVip + 1;

/** More to come, or an offset. */
const fragmentBits = 0x3fff;

/** The packets of a batch that have to arrive by a device: `length[i]` bytes at `offset[i]` of the batch's own bytes. */
export interface Arrivals {
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  count: number;
}

export interface DecapsulatorOptions {
  /** Addresses that packets may be for; all others are dropped. */
  readonly vips: readonly string[];
  /** Whether there is a device for `arrivals`; what would need one is dropped otherwise. */
  readonly hasDevice: boolean;
  /** Packets of a batch at most. */
  readonly batchSize: number;
}

export class Decapsulator {
  /** Of the last batch. */
  readonly arrivals: Arrivals;
  /** Packets so far, by position in `decapsulationReasons`. */
  readonly counts = new Float64Array(decapsulationReasons.length);
  /** Bytes of the packets that were delivered, without what was around them. */
  bytes = 0;
  readonly #vips: AddressIndex;
  readonly #hasDevice: boolean;
  readonly #found = new TunnelPacket();
  readonly #destination = new Int32Array(4);
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor({ vips, hasDevice, batchSize }: DecapsulatorOptions) {
    this.arrivals = { offset: new Uint32Array(batchSize), length: new Uint32Array(batchSize), count: 0 };
    this.#vips = new AddressIndex(vips.length);
    this.#hasDevice = hasDevice;
    const words = new Int32Array(4);
    for (const vip of vips) {
      if (!writeAddress(vip, words, 0)) throw new RangeError(`not an address: ${vip}`);
      this.#vips.set(words, 0, 0, 0, 1);
    }
  }

  /** Gives a verdict over each of the first `count` packets, and fills `arrivals` with what has to arrive otherwise. */
  process(batch: PacketBatch, count: number): void {
    const { buffer, byteOffset, byteLength } = batch.bytes;
    if (this.#view.buffer !== buffer || this.#view.byteOffset !== byteOffset) {
      this.#view = new DataView(buffer, byteOffset, byteLength);
    }
    this.arrivals.count = 0;
    for (let index = 0; index < count; index++) {
      batch.verdict[index] = Verdict.drop;
      const reason = this.#decide(batch, index);
      this.counts[reason]!++;
    }
  }

  #decide(batch: PacketBatch, index: number): number {
    const found = this.#found;
    const start = batch.offset[index]!;
    if ((batch.flags[index]! & PacketFlag.truncated) !== 0) return Outcome.truncated;
    const outcome = decapsulate(found, this.#view, start, start + batch.length[index]!);
    if (outcome !== TunnelOutcome.ok) return outcome;
    if (!this.#isForVip()) return notForVip;
    const { innerStart } = found;
    const length = found.innerEnd - innerStart;
    if (this.#isAsExpected()) {
      batch.verdict[index] = Verdict.rewritten;
      batch.offset[index] = innerStart;
      batch.length[index] = length;
    } else if (this.#hasDevice) {
      const { arrivals } = this;
      arrivals.offset[arrivals.count] = innerStart;
      arrivals.length[arrivals.count] = length;
      arrivals.count++;
    } else {
      return noDevice;
    }
    this.bytes += length;
    return TunnelOutcome.ok;
  }

  #isForVip(): boolean {
    const { innerStart, innerVersion } = this.#found;
    const words = this.#destination;
    if (innerVersion === 4) {
      words.fill(0);
      words[2] = mappedWord;
      words[3] = this.#view.getInt32(innerStart + Ipv4.destination);
    } else {
      const at = innerStart + Ipv6.destination;
      for (let word = 0; word < 4; word++) words[word] = this.#view.getInt32(at + (word << 2));
    }
    // An IPv4-mapped destination in an IPv6 header is nobody's.
    return familyOf(words, 0) === innerVersion && this.#vips.get(words, 0, 0, 0) !== 0;
  }

  /** Whether the stack can go on with the inner packet where it stands with the outer one. */
  #isAsExpected(): boolean {
    const { outer, innerStart, innerVersion } = this.#found;
    const view = this.#view;
    if (innerVersion !== outer.version) return false;
    if (innerVersion === 4) {
      const sameLength = (view.getUint8(innerStart) & 0x0f) === (view.getUint8(outer.start) & 0x0f);
      return sameLength && (view.getUint16(innerStart + Ipv4.fragment) & fragmentBits) === 0;
    }
    const next = view.getUint8(innerStart + Ipv6.nextHeader);
    // Only hop-by-hop options are looked at before the hook.
    const outerNext = view.getUint8(outer.start + Ipv6.nextHeader);
    return next !== hopByHop && next !== fragmentHeader && outerNext !== hopByHop;
  }
}
