/**
 * The native part: loaded when it is first needed, so that importing the package works everywhere, and
 * found by machine type alone. One binary serves every Node version and both C libraries, glibc and musl.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { LinuxSocketError } from './errors.ts';

declare const opaque: unique symbol;

/** An open socket or device, as the native part knows it. */
export type Handle = { readonly [opaque]: 'packets' };

/** A group of UDP sockets, as the native part knows it. */
export type GroupHandle = { readonly [opaque]: 'datagrams' };

/** What C and JavaScript share of a group; see {@link UdpGroup}. */
export interface OpenedGroup {
  readonly handle: GroupHandle;
  readonly received: Int32Array;
  readonly outgoing: Int32Array;
  readonly bytes: Uint8Array;
}

/** What became of packets since the socket or device was opened. */
export interface PacketCounters {
  /** Packets that the kernel took. */
  readonly sent: number;
  /** Larger than the device they would have left by. */
  readonly tooLarge: number;
  /** There was no route, or nobody at the next hop. */
  readonly unreachable: number;
  /** The send buffer or a queue was full. */
  readonly noRoom: number;
  /** Refused by a filter, or no packet of this family. */
  readonly refused: number;
}

/** Negative results are an errno negated. */
export interface Native {
  openRaw(family: number, mark: number, sendBufferBytes: number): Handle | number;
  openTun(name: string, mtu: number): { readonly handle: Handle; readonly name: string } | number;
  send(handle: Handle, bytes: Uint8Array, offsets: Uint32Array, lengths: Uint32Array, count: number): number;
  read(handle: Handle, into: Uint8Array): number;
  counters(handle: Handle): PacketCounters;
  close(handle: Handle): void;

  openGroup(onBatch: (count: number) => void): OpenedGroup | number;
  bindUdp(
    handle: GroupHandle,
    address: string,
    port: number,
    onlyIpv6: number,
    tellsLocal: number,
    receiveBufferBytes: number,
    sendBufferBytes: number,
  ): number;
  connectUdp(handle: GroupHandle, address: string, port: number): number;
  portOf(handle: GroupHandle, socket: number): number;
  sendUdp(handle: GroupHandle, socket: number, offset: number, length: number): number;
  flushUdp(handle: GroupHandle, count: number): number;
  closeUdp(handle: GroupHandle, socket: number): void;
  closeGroup(handle: GroupHandle): void;
}

let loaded: Native | undefined;

/** The native part; throws `ERR_SOCKETS_NO_BINARY` where there is none. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const machine = `${process.platform}-${process.arch}`;
  const path = fileURLToPath(new URL(`../prebuilds/${machine}/node-linux-sockets.node`, import.meta.url));
  if (!existsSync(path)) {
    throw new LinuxSocketError(
      'ERR_SOCKETS_NO_BINARY',
      process.platform === 'linux'
        ? `no native part for ${machine}; in a clone, install a C compiler and run npm ci again`
        : `these sockets are a part of Linux, and this is ${machine}`,
    );
  }
  try {
    return createRequire(import.meta.url)(path) as Native;
  } catch (error) {
    throw new LinuxSocketError(
      'ERR_SOCKETS_NO_BINARY',
      `the native part for ${machine} does not load: ${(error as Error).message}`,
    );
  }
}
