/**
 * This process at the end of tunnels that the kernel cannot take in: their packets come by a queue, and what is inside
 * goes back by its verdict or arrives by a TUN device (see forward/decapsulator.ts).
 *
 *   raw PREROUTING ─▶ queue ─▶ Decapsulator ─┬─▶ verdict ─▶ the hook's way on
 *                                            └─▶ TUN device ─▶ PREROUTING anew
 */

import { Tun } from 'node-linux-sockets';
import { Queue } from 'node-netfilter-queue';
import { Decapsulator, decapsulationReasons } from '../forward/decapsulator.ts';
import { ExitCode, SluiceError } from '../model/errors.ts';

export interface DecapsulationOptions {
  /** The number of the queue. */
  readonly queue: number;
  readonly vips: readonly string[];
  /** Whether it can do without the device, which some containers lack; then it tries to have one nevertheless. */
  readonly deviceOptional: boolean;
}

/** What became of packets so far. */
export interface DecapsulationCounts {
  readonly delivered: number;
  /** Of the packets inside. */
  readonly bytes: number;
  /** Those that were dropped, by reason; reasons that were not met are left out. */
  readonly dropped: Readonly<Record<string, number>>;
}

const batchSize = 128;
/** 100 ms of what one core can send. */
const queueLength = 32_768;
/** Batches in a row before timers and signals have their turn. */
const batchesInARow = 16;

export class Decapsulation {
  readonly #queue: Queue;
  readonly #tun: Tun | undefined;
  readonly #decapsulator: Decapsulator;
  #ended: Promise<void> | undefined;

  /** Opens queue and device. Throws a SluiceError: exit code 4 if the machine lacks something. */
  constructor({ queue, vips, deviceOptional }: DecapsulationOptions) {
    this.#tun = openTun(deviceOptional);
    try {
      this.#queue = new Queue(queue, { batchSize, queueLength });
    } catch (error) {
      this.#tun?.close();
      throw explained('ERR_SLUICE_QUEUE', error);
    }
    this.#decapsulator = new Decapsulator({ vips, hasDevice: this.#tun !== undefined, batchSize });
  }

  /** The name of the TUN device; undefined if there is none. */
  get device(): string | undefined {
    return this.#tun?.name;
  }

  /** Takes packets out of tunnels until it is closed. Rejects if the queue fails. */
  run(): Promise<void> {
    this.#ended ??= this.#serve();
    return this.#ended;
  }

  counts(): DecapsulationCounts {
    const { counts, bytes } = this.#decapsulator;
    const [delivered, ...dropped] = decapsulationReasons.map((name, at) => [name, counts[at]!] as const);
    const lost = this.#tun === undefined ? 0 : lostBy(this.#tun);
    const met = [...dropped, ['device-full', lost] as const].filter(([, count]) => count > 0);
    return { delivered: delivered![1] - lost, bytes, dropped: Object.fromEntries(met) };
  }

  /** What waits in the queue is dropped, and the device goes. Idempotent. */
  close(): void {
    this.#queue.close();
    this.#tun?.close();
  }

  async #serve(): Promise<void> {
    const queue = this.#queue;
    while (!queue.closed) {
      await queue.ready();
      for (let batches = 0; batches < batchesInARow && !queue.closed; batches++) {
        if (!this.#takeBatch(queue)) break;
      }
    }
  }

  #takeBatch(queue: Queue): boolean {
    const count = queue.receive(0);
    if (count === 0) return false;
    this.#decapsulator.process(queue.batch, count);
    const { arrivals } = this.#decapsulator;
    if (arrivals.count > 0) {
      this.#tun!.write(queue.batch.bytes, arrivals.offset, arrivals.length, arrivals.count);
    }
    queue.sendVerdicts(count);
    return true;
  }
}

/** Packets that were written and that the device did not take. */
function lostBy(tun: Tun): number {
  const { tooLarge, unreachable, noRoom, refused } = tun.counters();
  return tooLarge + unreachable + noRoom + refused;
}

function openTun(optional: boolean): Tun | undefined {
  try {
    return new Tun('sluice-tun%d');
  } catch (error) {
    if (optional && (error as { code?: string }).code === 'ERR_SOCKETS_UNSUPPORTED') return undefined;
    throw explained('ERR_SLUICE_TUN', error);
  }
}

function explained(code: 'ERR_SLUICE_QUEUE' | 'ERR_SLUICE_TUN', cause: unknown): SluiceError {
  const { code: reason = '', message } = cause as { code?: string; message: string };
  const missing = /_(NOT_PERMITTED|UNSUPPORTED|NO_BINARY)$/.test(reason);
  return new SluiceError(code, message, { exitCode: missing ? ExitCode.missing : ExitCode.failed, cause });
}
