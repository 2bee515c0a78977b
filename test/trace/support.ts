/**
 * A packet path of mode nat in memory: tables as they are made for workers, one worker that a test sends packets to, and
 * snapshots of both.
 *
 *   198.51.100.7 ─▶ 192.0.2.10:80 tcp, :53 udp ─▶ 10.0.0.2:8080, 10.0.0.3:8080, 10.0.0.4:8080     by 10.0.0.1
 */
import type { AddressBook } from '../../lib/conntrack/address-book.ts';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { flowFinder } from '../../lib/datapath/flow-finder.ts';
import type { Circumstances, Generation } from '../../lib/datapath/mode.ts';
import { NatMode, type NatPublication } from '../../lib/datapath/nat/mode.ts';
import type { NatVip } from '../../lib/datapath/nat/settings.ts';
import { NatShard } from '../../lib/datapath/nat/shard.ts';
import { Readings } from '../../lib/datapath/readings.ts';
import { createShardMemory, type ShardMemory } from '../../lib/datapath/shard-memory.ts';
import { type PathSnapshot, takeSnapshot } from '../../lib/datapath/snapshot.ts';
import type { PacketBatch } from '../../lib/forward/batch.ts';
import { reasonNames } from '../../lib/forward/reasons.ts';
import type { FlowTuple } from '../../lib/hash/flow-key.ts';

const limits = { vips: 16, endpoints: 32 };
const hashSeed = '000102030405060708090a0b0c0d0e0f';
const snatPorts = [61_000, 61_999] as const;
const settings = { name: 'test', hashSeed, workers: 1, snatAddresses: ['10.0.0.1', 'fd00::1'], snatPorts };
const common = { key: { low: 5, high: 7 }, hashSeed, timeouts: defaultFlowTimeouts, batchSize: 4 };

export function backend(name: string, change: Partial<NatVip['backends'][number]> = {}) {
  return { name, address: `10.0.0.${name.charCodeAt(0) - 95}`, port: 8_080, weight: 1, up: true, ...change };
}

export const web: NatVip = {
  service: 'web',
  protocol: 'tcp',
  address: '192.0.2.10',
  port: 80,
  balance: 'maglev',
  snat: true,
  whenDown: 'reset',
  whenAllDown: 'reject',
  backends: [backend('a'), backend('b'), backend('c')],
};

export const dns: NatVip = { ...web, service: 'dns', protocol: 'udp', port: 53 };

/** Nothing leaves apart from the packets that came. */
const noSocket = (): never => {
  throw new Error('a socket is opened');
};

export class MemoryPath {
  readonly memory: ShardMemory = createShardMemory({ capacity: 1_024, ...limits });
  readonly #mode = new NatMode(settings, limits, async () => '');
  readonly #readings = new Readings([this.memory]);
  readonly #shard: NatShard;
  #generation: Generation<NatPublication>;
  #vips: readonly NatVip[];
  readonly key = common.key;
  nowMs = 10_000;

  constructor(...vips: readonly NatVip[]) {
    this.#vips = vips;
    this.#generation = this.#mode.publish(vips, this.#now());
    const task = this.#mode.task(0, common, this.#generation.publication);
    this.#shard = new NatShard(this.memory, task.settings, task.publication, () => 0.5, this.nowMs, noSocket);
  }

  #now(): Circumstances {
    return { ...this.#readings.usage(), refuse: false, firstQueue: 20_480 };
  }

  publish(...vips: readonly NatVip[]): void {
    this.#vips = vips;
    this.#generation = this.#mode.publish(vips, this.#now());
    this.#shard.use(this.#generation.publication);
  }

  /** What the numbers in its flow rows lead to. */
  get book(): AddressBook {
    return this.#mode.bookOf(this.#generation.publication);
  }

  /** What the worker makes of a packet, and why. */
  send(packet: Uint8Array): { readonly reason: string; readonly bytes: Uint8Array } {
    const batch: PacketBatch = {
      bytes: new Uint8Array(2_000),
      id: new Uint32Array(4),
      offset: new Uint32Array(4),
      length: Uint32Array.of(packet.length),
      mark: new Uint32Array(4),
      hook: new Uint8Array(4),
      flags: new Uint8Array(4),
      verdict: new Uint8Array(4),
    };
    batch.bytes.set(packet);
    this.#shard.forwarder.process(batch, 1, this.nowMs);
    const reason = reasonNames[this.#shard.forwarder.reasons[0]!]!;
    return { reason, bytes: batch.bytes.slice(0, batch.length[0]) };
  }

  snapshot(...tuples: readonly FlowTuple[]): PathSnapshot {
    const find = flowFinder([this.memory], common.key, this.#mode.bookOf(this.#generation.publication));
    return takeSnapshot({
      mode: this.#mode,
      generation: this.#generation,
      vips: this.#vips,
      settings: common,
      nowMs: this.nowMs,
      rules: {
        selectors: this.#generation.selectors,
        workers: 1,
        firstQueue: 20_480,
        spreadSeed: 0,
        onFailure: 'drop',
      },
      tool: 'nft',
      flows: tuples.flatMap((tuple) => find(tuple) ?? []),
      loads: this.#readings.shards.map(({ rows }) => rows.flowsOfEndpoint),
    });
  }

  /** Every byte that worker and main thread share. */
  bytes(): Buffer {
    const { flows, counters, vitals } = this.memory;
    return Buffer.concat([
      Buffer.from(new Uint8Array(flows)),
      Buffer.from(new Uint8Array(counters)),
      Buffer.from(vitals),
    ]);
  }
}
