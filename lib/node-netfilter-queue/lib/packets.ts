/**
 * Packets as objects, for those who count them in thousands a second and not in millions: each has its own
 * bytes and may be answered at any time, in any order. Verdicts leave together, at the latest when the event
 * loop turns.
 */
import { PacketFlag, Verdict, VerdictFlag } from './constants.ts';
import { NetfilterQueueError } from './errors.ts';
import type { Queue } from './queue.ts';

/**
 * A packet that waits in the kernel for its verdict. It must get exactly one, by `accept`, `drop` or
 * `repeat`, or it holds a place in the queue until that is closed.
 */
export class Packet {
  readonly id: number;
  /** A copy, its IP header first; changing it changes nothing unless it is given to `accept`. */
  readonly bytes: Uint8Array;
  /** {@link EtherType} */
  readonly etherType: number;
  /** {@link Hook} */
  readonly hook: number;
  /** Index of the interface it came in by; 0 if it was made on this machine. */
  readonly inputInterface: number;
  /** Bits of {@link PacketFlag}. */
  readonly flags: number;
  /** May be set: the packet goes on with the mark that stands here when it gets its verdict. */
  mark: number;
  readonly #outbox: Outbox;
  readonly #receivedMark: number;
  #answered = false;

  constructor(queue: Queue, i: number, outbox: Outbox) {
    const { batch } = queue;
    const offset = batch.offset[i]!;
    this.id = batch.id[i]!;
    this.bytes = batch.bytes.slice(offset, offset + batch.length[i]!);
    this.etherType = batch.etherType[i]!;
    this.hook = batch.hook[i]!;
    this.inputInterface = batch.inputInterface[i]!;
    this.flags = batch.flags[i]!;
    this.mark = batch.mark[i]!;
    this.#receivedMark = this.mark;
    this.#outbox = outbox;
  }

  /** Its end is missing, because it is longer than the copy range. */
  get truncated(): boolean {
    return (this.flags & PacketFlag.truncated) !== 0;
  }

  /**
   * Lets the packet go on, or `bytes` in its place: an IP packet of 1–65531 bytes, whose TCP or UDP checksum
   * is put right. The checksum of an IPv4 header is up to the caller.
   */
  accept(bytes?: Uint8Array): void {
    this.#answer(Verdict.accept, bytes);
  }

  drop(): void {
    this.#answer(Verdict.drop);
  }

  /** Sends the packet through the hook again from its first rule. Set `mark`, or it comes round for ever. */
  repeat(): void {
    this.#answer(Verdict.repeat);
  }

  #answer(verdict: number, bytes?: Uint8Array): void {
    if (this.#answered)
      throw new NetfilterQueueError('ERR_NFQ_ARGUMENT', `packet ${this.id} has its verdict`);
    const marked = this.mark === this.#receivedMark ? 0 : VerdictFlag.mark;
    this.#outbox.add(this, verdict | marked, bytes);
    this.#answered = true;
  }
}

/** nla_len of a netlink attribute has 16 bits, of which its own header takes 4. */
const longestPacket = 65_531;

/** The kernel takes packets padded to 4 bytes, from within the batch. */
const padding = 4;

/**
 * Verdicts on their way, in the columns that packets come in by, which the packets were copied out of. So it
 * has to be empty before the next receive. Bytes of rewritten packets lie end to end from the batch's start.
 */
class Outbox {
  readonly #queue: Queue;
  #count = 0;
  #bytesUsed = 0;
  #timer: NodeJS.Immediate | undefined;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  /** After the queue was closed it is too late, and nothing happens: the kernel has dropped the packet. */
  add(packet: Packet, verdict: number, bytes: Uint8Array | undefined): void {
    if (this.#queue.closed) return;
    const { batch } = this.#queue;
    const rewritten = bytes === undefined ? 0 : this.#addBytes(bytes, packet.flags);
    batch.id[this.#count] = packet.id;
    batch.mark[this.#count] = packet.mark;
    batch.verdict[this.#count] = verdict | rewritten;
    this.#count++;
    if (this.#count === batch.id.length) this.flush();
    else this.#timer ??= setImmediate(() => this.flush());
  }

  /** Sends what there is. */
  flush(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    const count = this.#count;
    this.#count = 0;
    this.#bytesUsed = 0;
    if (count > 0 && !this.#queue.closed) this.#queue.sendVerdicts(count);
  }

  /** Puts the bytes where the next verdict finds them; returns the bits that the verdict needs for it. */
  #addBytes(bytes: Uint8Array, flags: number): number {
    const { batch } = this.#queue;
    const room = batch.bytes.length - padding;
    if (bytes.length === 0 || bytes.length > Math.min(longestPacket, room)) {
      throw new NetfilterQueueError('ERR_NFQ_ARGUMENT', `a packet of ${bytes.length} bytes cannot be sent`);
    }
    if (this.#bytesUsed + bytes.length > room) this.flush();
    batch.bytes.set(bytes, this.#bytesUsed);
    batch.offset[this.#count] = this.#bytesUsed;
    batch.length[this.#count] = bytes.length;
    this.#bytesUsed += bytes.length;
    return (flags & PacketFlag.gso) !== 0
      ? VerdictFlag.rewritten
      : VerdictFlag.rewritten | VerdictFlag.checksum;
  }
}

/** The packets of a queue, as they come. Ends when the queue is closed; closes it when the caller leaves. */
export async function* packets(queue: Queue): AsyncGenerator<Packet, void, undefined> {
  const outbox = new Outbox(queue);
  try {
    for (;;) {
      await queue.ready();
      if (queue.closed) return;
      outbox.flush();
      const count = queue.receive(0);
      yield* Array.from({ length: count }, (_, i) => new Packet(queue, i, outbox));
    }
  } finally {
    outbox.flush();
    queue.close();
  }
}
