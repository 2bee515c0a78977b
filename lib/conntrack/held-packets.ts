/**
 * Packets whose verdict has to wait, with a copy of their bytes: fragments that overtook the first of their datagram.
 * They stay in the kernel's queue in the meantime, so both number and size are bounded here.
 *
 *   place │ owner │ kernel's id │ since │ verdict │ mark │ offset │ length │ headroom │ bytes, `placeBytes` of them │
 *   owner: entry of the fragment table; `free` or `ready` (a verdict was found, and is to be sent)
 */

import { copyBytes } from '../packet/bytes.ts';
import { headroom } from '../packet/encapsulate.ts';

const free = -1;
const ready = -2;

export class HeldPackets {
  /** The packets' bytes; that of place `p` begins at `offsetOf(p)`, with `headroom` bytes free in front of it. */
  readonly view: DataView;
  readonly #places: number;
  readonly #placeBytes: number;
  readonly #owner: Int32Array;
  readonly #id: Uint32Array;
  readonly #sinceMs: Float64Array;
  readonly #offset: Uint32Array;
  readonly #length: Uint16Array;
  readonly #verdict: Uint8Array;
  readonly #mark: Uint32Array;
  #waiting = 0;
  #ready = 0;

  /** Room for `places` packets of `placeBytes` (up to 65535) each. */
  constructor(places: number, placeBytes: number) {
    this.view = new DataView(new ArrayBuffer(places * (headroom + placeBytes)));
    this.#places = places;
    this.#placeBytes = placeBytes;
    this.#owner = new Int32Array(places).fill(free);
    this.#id = new Uint32Array(places);
    this.#sinceMs = new Float64Array(places);
    this.#offset = new Uint32Array(places);
    this.#length = new Uint16Array(places);
    this.#verdict = new Uint8Array(places);
    this.#mark = new Uint32Array(places);
  }

  /** Packets that wait for their owner's decision. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Packets whose verdict is found. */
  get ready(): number {
    return this.#ready;
  }

  offsetOf(place: number): number {
    return this.#offset[place]!;
  }

  lengthOf(place: number): number {
    return this.#length[place]!;
  }

  /** Keeps a copy of a packet for `owner`. False if it is too long or there is no place. */
  hold(owner: number, id: number, view: DataView, start: number, length: number, nowMs: number): boolean {
    if (length > this.#placeBytes) return false;
    const place = this.#owner.indexOf(free);
    if (place < 0) return false;
    const offset = place * (headroom + this.#placeBytes) + headroom;
    copyBytes(view, start, this.view, offset, length);
    this.#owner[place] = owner;
    this.#id[place] = id;
    this.#sinceMs[place] = nowMs;
    this.#offset[place] = offset;
    this.#length[place] = length;
    this.#waiting++;
    return true;
  }

  /** A place that waits for `owner`; -1 when there is none. */
  find(owner: number): number {
    return this.#waiting === 0 ? -1 : this.#owner.indexOf(owner);
  }

  /** A place that has waited for longer than `lifeMs`; -1 when there is none. */
  findOverdue(nowMs: number, lifeMs: number): number {
    if (this.#waiting === 0) return -1;
    for (let place = 0; place < this.#places; place++) {
      if (this.#owner[place]! >= 0 && nowMs - this.#sinceMs[place]! > lifeMs) return place;
    }
    return -1;
  }

  /** The packet of a place, rewritten there, begins at `offset` of `view` now and is `length` bytes long. */
  move(place: number, offset: number, length: number): void {
    this.#offset[place] = offset;
    this.#length[place] = length;
  }

  /** Ends the wait of a place: `verdict` is to be sent over what its bytes are now, and with it perhaps `mark`. */
  settle(place: number, verdict: number, mark: number): void {
    this.#owner[place] = ready;
    this.#verdict[place] = verdict;
    this.#mark[place] = mark;
    this.#waiting--;
    this.#ready++;
  }

  /**
   * Moves one settled packet out, to `offset` of `view`, and frees its place. Answers with the place, whose `idOf`,
   * `lengthOf`, `verdictOf` and `markOf` stand until the next `hold`; -1 when none is left, or it is longer than
   * `room`.
   */
  takeReady(view: DataView, offset: number, room: number): number {
    if (this.#ready === 0) return -1;
    const place = this.#owner.indexOf(ready);
    const length = this.#length[place]!;
    if (length > room) return -1;
    copyBytes(this.view, this.offsetOf(place), view, offset, length);
    this.#owner[place] = free;
    this.#ready--;
    return place;
  }

  idOf(place: number): number {
    return this.#id[place]!;
  }

  verdictOf(place: number): number {
    return this.#verdict[place]!;
  }

  markOf(place: number): number {
    return this.#mark[place]!;
  }
}
