/**
 * A queue of the kernel's: batches of packets in, batches of verdicts out. Two system calls carry a whole
 * batch, and nothing is allocated on the way. A packet has to be answered by the queue it came from.
 */
import { constants } from 'node:os';
import { type KernelCounters, kernelCounters } from './counters.ts';
import { NetfilterQueueError, openError, systemError } from './errors.ts';
import { type Columns, type Handle, type NativeCounters, native, stoppedBit } from './native.ts';
import { type Packet, packets } from './packets.ts';

/** Sizes are in bytes unless they say otherwise. */
export interface QueueOptions {
  /** Packets that one `receive` returns at most: 1–512. Default 64. */
  readonly batchSize?: number;
  /** How much of each packet is handed over: 1–65531. Default 65531. */
  readonly copyRange?: number;
  /** Free bytes in front of every packet in the batch, for headers to be put before it: 0–4096. Default 64. */
  readonly headroom?: number;
  /** Packets that may wait in the kernel for a verdict. Default 8192. */
  readonly queueLength?: number;
  /** When the queue is full, packets pass unseen instead of being dropped. Default false. */
  readonly failOpen?: boolean;
  /** Packets come as large as the kernel handles them (`PacketFlag.gso`), not cut to the link. Default false. */
  readonly gso?: boolean;
  /**
   * While packets come densely, at least two in this time, receives are so many microseconds apart, and up to four
   * times as many where more packets share them: less work for the processor, and so much delay at most. 0–1000;
   * default 0, which never waits.
   */
  readonly coalesceMicros?: number;
  /** What the kernel may hold for us to read. Default 32 MiB; unprivileged, the system's limit. */
  readonly receiveBufferBytes?: number;
  /** What one send may carry. Default 1 MiB; unprivileged, the system's limit. */
  readonly sendBufferBytes?: number;
  /** `fd` of the {@link StopSignal} that stops this queue. */
  readonly stopFd?: number;
}

/**
 * The packets of the last `receive`, as columns: element `i` of each belongs to packet `i`. The packet itself
 * is `length[i]` bytes at `offset[i]` of `bytes`, its IP header first, and may be changed in place. At least
 * `headroom` bytes in front of it are free too: to put a header there, write it and move `offset` and `length`. Behind
 * it the next packet begins: one that shall have a longer end has to move, and may stand anywhere in `bytes`.
 *
 *     bytes:  … | headroom | packet 0 | … | headroom | packet 1 | …
 *                          ^ offset[0]               ^ offset[1]
 */
export interface Batch extends Columns {
  /** In the kernel's order; not to be changed. */
  readonly id: Uint32Array;
  /** The packet's mark; sent back if the verdict says `VerdictFlag.mark`. */
  readonly mark: Uint32Array;
  /** Index of the interface it came in by; 0 if it was made on this machine. */
  readonly inputInterface: Uint32Array;
  /** {@link EtherType} */
  readonly etherType: Uint16Array;
  /** {@link Hook} */
  readonly hook: Uint8Array;
  /** Bits of {@link PacketFlag}. */
  readonly flags: Uint8Array;
  /** To be filled in: a {@link Verdict} with bits of {@link VerdictFlag}. Whatever is left alone is dropped. */
  readonly verdict: Uint8Array;
}

/** The queue's own counters, and the kernel's if it shows them. */
export interface QueueCounters extends NativeCounters, Partial<KernelCounters> {}

/** NFQA_CFG_F_FAIL_OPEN and NFQA_CFG_F_GSO of the kernel. */
const failOpenFlag = 1;
const gsoFlag = 4;

/** A queue that this process owns, from its construction until `close`. It belongs to the thread that made it. */
export class Queue implements AsyncIterable<Packet> {
  readonly number: number;
  readonly batch: Batch;
  readonly #handle: Handle;
  #stopped = false;
  #closed = false;
  #watching = false;
  #ready: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /**
   * Takes queue `number` (0–65535) of the network namespace. Throws `ERR_NFQ_NOT_PERMITTED`, `ERR_NFQ_BUSY`,
   * `ERR_NFQ_UNSUPPORTED`, `ERR_NFQ_NO_BINARY` or `ERR_NFQ_ARGUMENT`.
   */
  constructor(number: number, options: QueueOptions = {}) {
    const opened = native().open(
      within('number', number, 0, 65_535),
      within('batchSize', options.batchSize ?? 64, 1, 512),
      within('headroom', options.headroom ?? 64, 0, 4_096),
      within('copyRange', options.copyRange ?? 65_531, 1, 65_531),
      within('queueLength', options.queueLength ?? 8_192, 1, 0x7fff_ffff),
      (options.failOpen ? failOpenFlag : 0) | (options.gso ? gsoFlag : 0),
      within('receiveBufferBytes', options.receiveBufferBytes ?? 32 << 20, 1, 0x3fff_ffff),
      within('sendBufferBytes', options.sendBufferBytes ?? 1 << 20, 1, 0x3fff_ffff),
      within('stopFd', options.stopFd ?? -1, -1, 0x7fff_ffff),
      within('coalesceMicros', options.coalesceMicros ?? 0, 0, 1_000),
    );
    if (typeof opened === 'number') throw openError(number, opened);
    const { handle, ...columns } = opened;
    this.number = number;
    this.batch = columns;
    this.#handle = handle;
  }

  /** Whether a {@link StopSignal} was noticed. `receive` then waits no more but still returns what is there. */
  get stopped(): boolean {
    return this.#stopped;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Fills the batch with packets that are there and returns how many. If there are none, the thread sleeps up
   * to `timeoutMs` (-1: without end) for them; 0 is returned when that was in vain, or a signal came. While
   * it sleeps nothing else runs on this thread, and neither the process nor `worker.terminate()` can end it.
   */
  receive(timeoutMs: number): number {
    if (this.#closed) throw closedError(this.number);
    const result = native().receive(this.#handle, this.#stopped ? 0 : timeoutMs);
    if (result < 0) throw systemError('receive packets', result);
    if (result < stoppedBit) return result;
    this.#stopped = true;
    return result - stoppedBit;
  }

  /**
   * Sends the verdicts over the batch's first `count` packets. Throws `ERR_NFQ_ARGUMENT`, and sends none, if
   * a rewritten packet does not lie within `bytes`, is empty or is longer than 65531.
   */
  sendVerdicts(count: number): void {
    if (this.#closed) throw closedError(this.number);
    const result = native().answer(this.#handle, count);
    if (result === 0) return;
    if (result === -constants.errno.EINVAL) {
      throw new NetfilterQueueError('ERR_NFQ_ARGUMENT', 'a rewritten packet does not lie in the batch');
    }
    throw systemError('send verdicts', result);
  }

  /**
   * Resolves once there is something to receive, without holding up the event loop; also when the queue is
   * closed. From the first call until `close`, the queue keeps the process alive.
   */
  ready(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#ready !== undefined) return this.#ready.promise;
    if (!this.#watching) this.#watch();
    const error = native().watchAgain(this.#handle);
    if (error !== 0) throw systemError('watch the queue', error);
    let resolve = (): void => undefined;
    const promise = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.#ready = { promise, resolve };
    return promise;
  }

  /** Packets one by one, for use on an event loop; see {@link Packet}. Leaving the loop closes the queue. */
  [Symbol.asyncIterator](): AsyncGenerator<Packet, void, undefined> {
    return packets(this);
  }

  counters(): QueueCounters {
    return { ...native().counters(this.#handle), ...kernelCounters(this.number) };
  }

  /** Gives the queue back. The kernel drops the packets that are in it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().close(this.#handle);
    this.#settle();
  }

  #watch(): void {
    const error = native().watch(this.#handle, () => this.#settle());
    if (error !== 0) throw systemError('watch the queue', error);
    this.#watching = true;
  }

  #settle(): void {
    this.#ready?.resolve();
    this.#ready = undefined;
  }
}

function closedError(queueNumber: number): NetfilterQueueError {
  return new NetfilterQueueError('ERR_NFQ_CLOSED', `queue ${queueNumber} is closed`);
}

function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new NetfilterQueueError(
    'ERR_NFQ_ARGUMENT',
    `${name} is ${value}, not an integer from ${least} to ${most}`,
  );
}
