import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Backend } from '../../lib/balance/backend.ts';
import { FlowMeter, MeteredFlow } from '../../lib/proxy/flow-meter.ts';
import { searchFlows } from '../../lib/proxy/flow-search.ts';
import type { ProxiedFlow } from '../../lib/proxy/flow-view.ts';
import { flowQuestions } from '../model/flow-questions.ts';
import { naiveSearch } from '../model/naive-flow-search.ts';
import { serviceOf } from './support.ts';

const { context } = serviceOf({});
context.nowMs = 10_000;

const backends = [
  new Backend({ name: 'a', host: '10.0.1.1', port: 80, weight: 1 }, 0),
  new Backend({ name: 'b', host: '10.0.1.2', port: 80, weight: 1 }, 0),
];
const nameOf = (backend: string) => (backend === '10.0.1.1:80' ? 'a' : 'b');

const anyFlow: fc.Arbitrary<ProxiedFlow> = fc
  .record({
    protocol: fc.constantFrom('tcp', 'udp'),
    clientAddress: fc.constantFrom(
      '10.0.0.1',
      '::ffff:10.0.0.2',
      '10.0.0.30',
      '203.0.113.1',
      'fd00::1',
      '2001:db8::5',
    ),
    clientPort: fc.integer({ min: 1, max: 3 }),
    vipAddress: fc.constantFrom('10.9.0.1', 'fd00::1'),
    vipPort: fc.constantFrom(80, 53),
    state: fc.constantFrom('queued', 'connecting', 'established', 'closing'),
    backend: fc.constantFrom(null, ...backends),
    startedMs: fc.nat(9_000),
    lastMs: fc.nat(9_000),
    packets: fc.option(fc.tuple(fc.nat(3), fc.nat(3))),
    bytes: fc.tuple(fc.nat(3), fc.nat(3)),
  })
  .map(({ packets, bytes: [bytesIn, bytesOut], ...flow }) => ({
    ...new MeteredFlow(),
    ...flow,
    packetsIn: packets?.[0] ?? null,
    packetsOut: packets?.[1] ?? null,
    bytesIn,
    bytesOut,
  }));

describe('the flows of a proxy', () => {
  it('are found as a plain search would find them', () => {
    fc.assert(
      fc.property(fc.array(anyFlow), flowQuestions, (flows, query) => {
        const all = searchFlows(flows, { limit: 1_000 }, context).flows;
        const expected = naiveSearch(all, query, nameOf);
        const found = searchFlows(flows, query, context);
        assert.equal(found.matching, expected.matching);
        // Of two that began at the same moment either may come first.
        const ages = (views: typeof all) => views.map(({ ageMs }) => ageMs);
        assert.deepEqual(ages(found.flows), ages(expected.flows));
      }),
    );
  });

  it('are not asked for an address that nobody asks for', () => {
    const [flow] = fc.sample(anyFlow, { numRuns: 1, seed: 1 });
    const shy = Object.defineProperty({ ...flow! }, 'clientAddress', { get: () => assert.fail() });
    assert.equal(searchFlows([shy], { limit: 0, sort: 'bytes-in' }, context).matching, 1);
  });
});

describe('the speed of a proxied flow', () => {
  const at = (startedMs: number) => ({ ...new MeteredFlow(), startedMs });

  it('is at first what it has carried over all its life, and then since the last look', () => {
    const [meter, flow] = [new FlowMeter(), at(0)];
    flow.bytesIn = 1_000;
    meter.look([flow], 10_000);
    assert.equal(flow.bytesInPerSecond, 100);
    flow.bytesOut = 500;
    meter.look([flow], 12_000);
    assert.deepEqual([flow.bytesInPerSecond, flow.bytesOutPerSecond], [0, 250]);
  });

  it('stays as it is between two looks that follow closely', () => {
    const [meter, flow] = [new FlowMeter(), at(0)];
    meter.look([flow], 10_000);
    flow.bytesIn = 1_000;
    meter.look([flow], 10_300);
    assert.equal(flow.bytesInPerSecond, 0);
    meter.look([flow], 11_000);
    assert.equal(flow.bytesInPerSecond, 1_000);
  });

  it('is that of its own time for a flow that began in between', () => {
    const [meter, flow] = [new FlowMeter(), at(11_000)];
    meter.look([], 8_000);
    flow.bytesIn = 900;
    meter.look([flow], 12_000);
    assert.equal(flow.bytesInPerSecond, 900);
  });
});
