/** The flow table against a naive twin: a Map from a five-tuple in words to what is known of its flow. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../../lib/packet/address.ts';
import { book, type Flows, find, fromBackend, fromClient, makeFlows, makePorts, open } from './flows.ts';

interface Twin {
  readonly flow: number;
  readonly vip: number;
  readonly client: number;
}

/** The answer's five-tuple, from the row's own words. */
function answerKey({ tracker }: Flows, flow: number): string {
  const { rows } = tracker;
  const snat = rows.snatOf(flow);
  const to = snat === 0 ? formatAddress(rows.words, flow * 16) : formatAddress(book.snatWords, snat * 4);
  const from = formatAddress(book.endpointWords, rows.endpointOf(flow) * 4);
  return `${book.vipProtocol[rows.vipOf(flow)]} ${from} ${to}:${rows.snatPortOf(flow)}`;
}

const step = fc.record({
  kind: fc.constantFrom('open' as const, 'open' as const, 'close' as const, 'find' as const),
  client: fc.nat(30),
  vip: fc.integer({ min: 1, max: 3 }),
  endpoint: fc.integer({ min: 1, max: 2 }),
  snats: fc.constantFrom<readonly number[]>([], [1], [1, 2]),
});

describe('the flow table', () => {
  it('agrees with a Map, and no two live flows share an answer key', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 250 }), fc.integer(), (steps, low) => {
        const capacity = 32;
        const flows = makeFlows(
          {
            shape: { capacity, vips: 4, endpoints: 4 },
            halfOpenQuota: 1_000,
            halfOpenGraceMs: 1e9,
            key: { low, high: 1 },
          },
          makePorts(6),
        );
        const twins = new Map<string, Twin>();
        const answers = new Set<string>();
        for (const { kind, client, vip, endpoint, snats } of steps) {
          const key = `${client} ${vip}`;
          const packet = fromClient(client, vip);
          const twin = twins.get(key);
          assert.equal(find(flows, packet), twin === undefined ? 0 : twin.flow * 2);
          if (kind === 'close' && twin !== undefined) {
            answers.delete(answerKey(flows, twin.flow));
            flows.tracker.close(twin.flow);
            twins.delete(key);
          }
          if (kind === 'open' && twin === undefined) {
            const flow = open(flows, packet, vip, endpoint, snats);
            if (flow < 0) continue;
            const answer = answerKey(flows, flow);
            assert.ok(!answers.has(answer), answer);
            answers.add(answer);
            twins.set(key, { flow, vip, client });
          }
        }
        assert.equal(new Set([...twins.values()].map(({ flow }) => flow)).size, twins.size);
        for (const { flow, vip, client } of twins.values()) {
          assert.equal(find(flows, fromClient(client, vip)), flow * 2);
          assert.equal(find(flows, fromBackend(flows, flow)), flow * 2 + 1);
        }
        assert.equal(flows.tracker.rows.slots.filter((slot) => slot !== 0).length, 2 * twins.size);
      }),
      { numRuns: 60 },
    );
  });

  it('fills to its last row and empties again, leaving no slot behind', () => {
    const flows = makeFlows({ halfOpenQuota: 1_000 }, makePorts(100));
    for (let turn = 0; turn < 5; turn++) {
      const opened = Array.from({ length: 63 }, (_, client) => open(flows, fromClient(client, 1), 1));
      assert.equal(new Set(opened).size, 63);
      for (const [client, flow] of opened.entries())
        assert.equal(find(flows, fromClient(client, 1)), flow * 2);
      for (const flow of opened) flows.tracker.close(flow);
      assert.ok(flows.tracker.rows.slots.every((slot) => slot === 0));
    }
  });
});
