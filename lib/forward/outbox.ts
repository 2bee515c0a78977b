/**
 * Packets that cannot go on in place of the one that came: several for one, or of another family. They are finished,
 * from their IP header on, and wait for whoever sends them through a socket of that family after the verdicts.
 *
 *   bytes   │ packet 0 │ packet 1 │ … │            free             │
 *           offset[0]  offset[1]      next
 */
export class Outbox {
  readonly bytes: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  count = 0;

  /** Room for so many packets, of so many bytes together. */
  constructor(packets: number, bytes: number) {
    this.bytes = new Uint8Array(bytes);
    this.view = new DataView(this.bytes.buffer);
    this.offset = new Uint32Array(packets);
    this.length = new Uint32Array(packets);
  }

  /** Adds a packet of `length` bytes. Answers with where they are to be written; -1 if there is no room. */
  add(length: number): number {
    const { count } = this;
    const at = count === 0 ? 0 : this.offset[count - 1]! + this.length[count - 1]!;
    if (count === this.offset.length || at + length > this.bytes.length) return -1;
    this.offset[count] = at;
    this.length[count] = length;
    this.count = count + 1;
    return at;
  }

  /** Takes back all packets but the first `count`. */
  rewind(count: number): void {
    this.count = count;
  }

  /** Forgets all packets, once they are sent. */
  clear(): void {
    this.count = 0;
  }
}

/** One for each family: a packet is sent by a socket of its own. */
export interface Outboxes {
  readonly ipv4: Outbox;
  readonly ipv6: Outbox;
}
