/**
 * Affinity by consistent hashing: the same key goes to the same backend, on every balancer with the same seed
 * and candidates, and keeps it when others come and go. With the whole flow as the key this is `maglev`; with
 * the client's address alone it is `source`.
 */
import { flowKeyLength } from '../hash/flow-key.ts';
import { buildMaglev, noBackend, slotOf } from '../hash/maglev.ts';
import type { SipHash } from '../hash/siphash.ts';
import { type Candidate, hasRoom } from './candidate.ts';
import type { Policy } from './policy.ts';

/** Writes the key of a flow to the beginning of `into`, which has `flowKeyLength` bytes; returns its length. */
export type KeyWriter<Flow> = (flow: Flow, into: Uint8Array) => number;

export class Maglev<Flow, Member extends Candidate> implements Policy<Flow, Member> {
  readonly affinity = true;
  readonly #hash: SipHash;
  readonly #writeKey: KeyWriter<Flow>;
  readonly #key = new Uint8Array(flowKeyLength);
  #candidates: readonly Member[] = [];
  #table: Uint16Array = new Uint16Array(0);

  constructor(hash: SipHash, writeKey: KeyWriter<Flow>) {
    this.#hash = hash;
    this.#writeKey = writeKey;
  }

  rebuild(candidates: readonly Member[]): void {
    this.adopt(candidates, buildMaglev(candidates, this.#hash));
  }

  /** The same with a table that somebody has built already, from the same candidates under the same seed. */
  adopt(candidates: readonly Member[], table: Uint16Array): void {
    this.#candidates = candidates;
    this.#table = table;
  }

  /** Where a flow belongs in `table`. */
  slotOf(flow: Flow): number {
    const length = this.#writeKey(flow, this.#key);
    this.#hash.hash(this.#key, 0, length);
    return slotOf(this.#hash.lo, this.#hash.hi, this.#table.length);
  }

  /** By slot, the candidate that owns it: its place in the list that was adopted. */
  get table(): Uint16Array {
    return this.#table;
  }

  /** Past backends that were tried the flow goes to the next slot's, so that these spread over all others. */
  pick(flow: Flow, tried: readonly Member[], maxConnections: number): Member | null {
    const size = this.#table.length;
    let slot = this.slotOf(flow);
    for (let i = 0; i < size; i++) {
      const index = this.#table[slot]!;
      if (index === noBackend) return null;
      const backend = this.#candidates[index]!;
      if (!tried.includes(backend)) return hasRoom(backend, maxConnections) ? backend : null;
      slot = slot + 1 === size ? 0 : slot + 1;
    }
    return null;
  }
}
