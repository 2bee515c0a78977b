import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  Byte,
  byteShift,
  FlowRows,
  flowBufferBytes,
  Half,
  halfShift,
  tickMs,
  Word,
  wordShift,
} from '../../lib/conntrack/flow-rows.ts';
import { addPacket, clearTraffic } from '../../lib/conntrack/flow-traffic.ts';
import { FlowState } from '../../lib/conntrack/states.ts';
import { findFlows } from '../../lib/datapath/flow-list.ts';
import { FlowMeter } from '../../lib/datapath/flow-meter.ts';
import type { FlowNames } from '../../lib/datapath/flow-names.ts';
import type { MeteredRows } from '../../lib/datapath/row-order.ts';
import type { FlowView } from '../../lib/model/view.ts';
import { writeAddress } from '../../lib/packet/address.ts';
import { flowQuestions } from '../model/flow-questions.ts';
import { naiveSearch } from '../model/naive-flow-search.ts';

const shape = { capacity: 64, vips: 4, endpoints: 4 };
const nowMs = 16_000;

const names: FlowNames = {
  vips: new Map([
    [1, { service: 'web', protocol: 'tcp', address: '10.9.0.1', port: 80 }],
    [3, { service: 'dns', protocol: 'udp', address: 'fd00::1', port: 53 }],
  ]),
  endpoints: new Map([
    [1, { text: '10.0.1.1:80', backends: ['a'] }],
    [2, { text: '10.0.1.2:80', backends: ['b', 'also-b'] }],
  ]),
};

const nameOf = (backend: string): string => (backend === '10.0.1.1:80' ? 'a' : 'b also-b');

/** A flow in a row of a table. */
interface RowSpec {
  readonly row: number;
  readonly client: string;
  readonly clientPort: number;
  readonly vip: number;
  readonly endpoint: number;
  readonly state: number;
  readonly createdTick: number;
  readonly lastSeenTick: number;
  readonly packets: readonly number[];
}

const anyRow: fc.Arbitrary<RowSpec> = fc.record({
  row: fc.integer({ min: 1, max: shape.capacity - 1 }),
  client: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.30', '203.0.113.1', 'fd00::1', '2001:db8::5'),
  clientPort: fc.integer({ min: 1, max: 3 }),
  vip: fc.constantFrom(1, 3),
  endpoint: fc.constantFrom(1, 2),
  state: fc.integer({ min: FlowState.synSent, max: FlowState.reset }),
  createdTick: fc.integer({ min: 0, max: 500 }),
  lastSeenTick: fc.integer({ min: 500, max: 1_000 }),
  packets: fc.array(fc.integer({ min: 1, max: 1_500 }), { maxLength: 3 }),
});

function tableOf(specs: readonly RowSpec[]): MeteredRows {
  const rows = new FlowRows(new SharedArrayBuffer(flowBufferBytes(shape)), shape);
  for (const spec of specs) write(rows, spec);
  return { rows, meter: new FlowMeter(rows) };
}

function write(rows: FlowRows, spec: RowSpec): void {
  const { row } = spec;
  writeAddress(spec.client, rows.words, (row << wordShift) + Word.client);
  rows.halves[(row << halfShift) + Half.clientPort] = spec.clientPort;
  rows.halves[(row << halfShift) + Half.vip] = spec.vip;
  rows.halves[(row << halfShift) + Half.endpoint] = spec.endpoint;
  rows.words[(row << wordShift) + Word.lastSeen] = spec.lastSeenTick;
  rows.created[row] = spec.createdTick;
  rows.bytes[(row << byteShift) + Byte.state] = spec.state;
  for (const [index, length] of spec.packets.entries()) addPacket(rows, row, index % 2, length);
}

/** As an instance shows them. */
function search(shards: readonly MeteredRows[], query: Parameters<typeof findFlows>[1]) {
  const { flows, matching } = findFlows(shards, query, names, nowMs);
  const views = flows.map((flow): FlowView => ({ ...flow, mode: 'nat' }));
  return { flows: views, matching };
}

const one: RowSpec = {
  row: 5,
  client: '198.51.100.7',
  clientPort: 4_000,
  vip: 1,
  endpoint: 2,
  state: FlowState.synSent,
  createdTick: 500,
  lastSeenTick: 750,
  packets: [40, 60],
};

describe('the flows of the packet path', () => {
  it('are shown in words', () => {
    assert.deepEqual(findFlows([tableOf([one])], { limit: 10 }, names, nowMs), {
      flows: [
        {
          protocol: 'tcp',
          service: 'web',
          client: '198.51.100.7:4000',
          vip: '10.9.0.1:80',
          backend: '10.0.1.2:80',
          state: 'connecting',
          trackedState: 'syn-sent',
          ageMs: 8_000,
          idleMs: 4_000,
          packetsIn: 1,
          packetsOut: 1,
          bytesIn: 40,
          bytesOut: 60,
        },
      ],
      matching: 1,
    });
  });

  it('are found over all workers as a plain search would find them', () => {
    const tables = fc.array(fc.uniqueArray(anyRow, { selector: ({ row }) => row }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(tables, flowQuestions, (specs, query) => {
        const shards = specs.map(tableOf);
        const all = search(shards, { limit: 1_000 }).flows;
        assert.equal(all.length, specs.flat().length);
        const expected = naiveSearch(all, query, nameOf);
        const { flows, matching } = search(shards, query);
        assert.equal(matching, expected.matching);
        // Of two that began at the same moment either may come first.
        const ages = (views: readonly FlowView[]) => views.map(({ ageMs }) => ageMs);
        assert.deepEqual(ages(flows), ages(expected.flows));
      }),
    );
  });

  it('leave out what was given back while it was read', () => {
    const shards = [tableOf([{ ...one, vip: 2 }])];
    assert.deepEqual(findFlows(shards, { limit: 10 }, names, nowMs), { flows: [], matching: 1 });
  });
});

describe('the speed of a flow', () => {
  const speeds = (shards: readonly MeteredRows[], atMs: number) =>
    findFlows(shards, { limit: 10, sort: 'rate-in' }, names, atMs).flows.map((flow) => [
      flow.bytesInPerSecond,
      flow.bytesOutPerSecond,
    ]);

  it('is at first what it has carried over all its life, and then since the last look', () => {
    const shard = tableOf([one]);
    const createdMs = one.createdTick * tickMs;
    assert.deepEqual(speeds([shard], createdMs + 10_000), [[4, 6]]);
    addPacket(shard.rows, one.row, 0, 2_000);
    assert.deepEqual(speeds([shard], createdMs + 12_000), [[1_000, 0]]);
    assert.deepEqual(speeds([shard], createdMs + 13_000), [[0, 0]]);
  });

  it('stays as it is between two looks that follow closely', () => {
    const shard = tableOf([one]);
    const before = speeds([shard], nowMs);
    addPacket(shard.rows, one.row, 0, 2_000);
    assert.deepEqual(speeds([shard], nowMs + 300), before);
  });

  it('knows nothing of the flow that had the row before', () => {
    const shard = tableOf([{ ...one, packets: [1_000_000] }]);
    speeds([shard], nowMs);
    clearTraffic(shard.rows, one.row);
    write(shard.rows, { ...one, createdTick: nowMs / tickMs + 1, packets: [500] });
    assert.deepEqual(speeds([shard], nowMs + tickMs + 1_000), [[500, 0]]);
  });
});
