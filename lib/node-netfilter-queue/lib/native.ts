/**
 * The native part: loaded when it is first needed, so that importing the package works everywhere, and
 * found by machine type alone. One binary serves every Node version and both C libraries, glibc and musl.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { NetfilterQueueError } from './errors.ts';

declare const opaque: unique symbol;

/** An open queue, as the native part knows it. */
export type Handle = { readonly [opaque]: true };

/** The columns of a batch, one element per packet; see {@link Batch}. */
export interface Columns {
  readonly bytes: Uint8Array;
  readonly id: Uint32Array;
  readonly mark: Uint32Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly inputInterface: Uint32Array;
  readonly etherType: Uint16Array;
  readonly hook: Uint8Array;
  readonly flags: Uint8Array;
  readonly verdict: Uint8Array;
}

/** Since the queue was opened. */
export interface NativeCounters {
  /** Packets received. */
  readonly packets: number;
  /** Batches that packets came in by. */
  readonly receives: number;
  /** System calls that took verdicts. */
  readonly sends: number;
  /** Times the kernel had no room for a message, either way. */
  readonly overruns: number;
  /** Verdicts that the kernel refused, mostly over packets that are gone. */
  readonly refused: number;
  /** Messages that could not be read. */
  readonly malformed: number;
}

/** Negative results are an errno negated. */
export interface Native {
  open(
    queueNumber: number,
    batchSize: number,
    headroom: number,
    copyRange: number,
    queueLength: number,
    flags: number,
    receiveBufferBytes: number,
    sendBufferBytes: number,
    stopFd: number,
    coalesceMicros: number,
  ): (Columns & { readonly handle: Handle }) | number;
  /** The number of packets, and {@link stoppedBit} once the queue was told to stop. */
  receive(handle: Handle, timeoutMs: number): number;
  answer(handle: Handle, count: number): number;
  counters(handle: Handle): NativeCounters;
  watch(handle: Handle, ready: () => void): number;
  watchAgain(handle: Handle): number;
  close(handle: Handle): void;
  createEvent(): number;
}

export const stoppedBit = 0x10000;

let loaded: Native | undefined;

/** The native part; throws `ERR_NFQ_NO_BINARY` where there is none. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const machine = `${process.platform}-${process.arch}`;
  const path = fileURLToPath(new URL(`../prebuilds/${machine}/node-netfilter-queue.node`, import.meta.url));
  if (!existsSync(path)) {
    throw new NetfilterQueueError(
      'ERR_NFQ_NO_BINARY',
      process.platform === 'linux'
        ? `no native part for ${machine}; in a clone, install a C compiler and run npm ci again`
        : `NFQUEUE is a part of Linux, and this is ${machine}`,
    );
  }
  return createRequire(import.meta.url)(path) as Native;
}
