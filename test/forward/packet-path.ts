/**
 * The way of packets through a whole balancer in memory: a test sends them one by one, and sees what becomes of them.
 * Every packet stands between bytes of poison; whoever touches those is found out.
 */
import assert from 'node:assert/strict';
import type { PacketBatch } from '../../lib/forward/batch.ts';
import type { Forwarder } from '../../lib/forward/forwarder.ts';
import { type ReasonName, reasonNames } from '../../lib/forward/reasons.ts';
import { headroom } from '../../lib/packet/encapsulate.ts';

export interface Sent {
  readonly reason: ReasonName;
  /** The verdict byte without the request to complete the checksum. */
  readonly verdict: number | undefined;
  readonly complete: boolean;
  /** What it goes on with, if it was given a mark. */
  readonly mark: number | undefined;
  /** The packet as the kernel would send it on. */
  readonly bytes: Uint8Array;
}

export interface Released {
  readonly id: number;
  readonly verdict: number;
  readonly mark: number | undefined;
  readonly bytes: Uint8Array;
}

/** Packets of a batch at most. */
export const batchSize = 8;
const room = 70_000;
/** Poisoned bytes before and behind a packet. */
const margin = 64;

export abstract class PacketPath {
  abstract readonly forwarder: Forwarder<unknown>;
  readonly batch: PacketBatch = {
    bytes: new Uint8Array(room),
    id: new Uint32Array(batchSize),
    offset: new Uint32Array(batchSize),
    length: new Uint32Array(batchSize),
    mark: new Uint32Array(batchSize),
    hook: new Uint8Array(batchSize),
    flags: new Uint8Array(batchSize),
    verdict: new Uint8Array(batchSize),
  };
  nowMs = 1_000_000;
  nextId = 1;

  /** Sends one packet through; `flags` are the kernel's. */
  send(packet: Uint8Array, flags = 0, poison = 0xff): Sent {
    const { batch } = this;
    const start = margin;
    const end = start + packet.length;
    batch.bytes.fill(poison, 0, end + margin);
    batch.bytes.set(packet, start);
    batch.id[0] = this.nextId;
    this.nextId += 1;
    batch.offset[0] = start;
    batch.length[0] = packet.length;
    batch.flags[0] = flags;
    const count = this.forwarder.process(batch, 1, this.nowMs);
    const verdict = batch.verdict[0]!;
    // A header may have been put in front of it.
    const first = count === 1 ? batch.offset[0]! : start;
    // And what went on elsewhere may have left one in the free bytes there.
    const free = reasonNames[this.forwarder.reasons[0]!] === 'sent-apart' ? headroom : 0;
    const around = [
      ...batch.bytes.subarray(0, Math.min(first, start - free)),
      ...batch.bytes.subarray(end, end + margin),
    ];
    assert.ok(
      around.every((byte) => byte === poison),
      'bytes around the packet are untouched',
    );
    return {
      reason: reasonNames[this.forwarder.reasons[0]!]!,
      verdict: count === 1 ? verdict & ~0x40 : undefined,
      complete: count === 1 && (verdict & 0x40) !== 0,
      mark: markOf(batch, 0),
      bytes: batch.bytes.slice(first, first + (count === 1 ? batch.length[0]! : packet.length)),
    };
  }

  /** Sends whole packets (no fragments) through in one batch; each must fit between two of these. */
  sendTogether(packets: readonly Uint8Array[]): Sent[] {
    const { batch } = this;
    const place = 2_048;
    for (const [index, packet] of packets.entries()) {
      const start = margin + index * place;
      batch.bytes.set(packet, start);
      batch.id[index] = this.nextId++;
      batch.offset[index] = start;
      batch.length[index] = packet.length;
      batch.flags[index] = 0;
    }
    assert.equal(this.forwarder.process(batch, packets.length, this.nowMs), packets.length);
    return packets.map((_, index) => ({
      reason: reasonNames[this.forwarder.reasons[index]!]!,
      verdict: batch.verdict[index]! & ~0x40,
      complete: (batch.verdict[index]! & 0x40) !== 0,
      mark: markOf(batch, index),
      bytes: batch.bytes.slice(batch.offset[index]!, batch.offset[index]! + batch.length[index]!),
    }));
  }

  /** Moves time on, with nothing coming. */
  wait(ms: number): void {
    const until = this.nowMs + ms;
    while (this.nowMs < until) {
      this.nowMs = Math.min(until, this.nowMs + 1_000);
      this.forwarder.process(this.batch, 0, this.nowMs);
    }
  }

  /** Verdicts over fragments that were held. */
  released(): Released[] {
    const all: Released[] = [];
    for (;;) {
      const count = this.forwarder.release(this.batch);
      if (count === 0) return all;
      for (let index = 0; index < count; index++) {
        const offset = this.batch.offset[index]!;
        all.push({
          id: this.batch.id[index]!,
          verdict: this.batch.verdict[index]!,
          mark: markOf(this.batch, index),
          bytes: this.batch.bytes.slice(offset, offset + this.batch.length[index]!),
        });
      }
    }
  }
}

function markOf({ verdict, mark }: PacketBatch, index: number): number | undefined {
  return verdict[index] === 0x21 ? mark[index] : undefined;
}
