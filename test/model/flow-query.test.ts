import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FlowQuery, needsRates, orderOfFlows } from '../../lib/model/flow-query.ts';
import type { FlowView } from '../../lib/model/view.ts';

function flow(client: string, change: Partial<FlowView> = {}): FlowView {
  return {
    protocol: 'tcp',
    client,
    vip: '192.0.2.1:80',
    backend: '10.0.0.1:80',
    service: 'web',
    state: 'established',
    mode: 'proxy',
    ageMs: 10,
    idleMs: 0,
    packetsIn: null,
    packetsOut: null,
    bytesIn: 0,
    bytesOut: 0,
    ...change,
  };
}

function sorted(query: Omit<FlowQuery, 'limit'>, flows: readonly FlowView[]): string[] {
  return flows.toSorted(orderOfFlows({ limit: 9, ...query })).map(({ client }) => client);
}

describe('the order of flows', () => {
  it('puts the oldest first unless told otherwise, and the greatest of other numbers', () => {
    const flows = [
      flow('a', { ageMs: 1, bytesIn: 5 }),
      flow('b', { ageMs: 3 }),
      flow('c', { ageMs: 2, bytesIn: 9 }),
    ];
    assert.deepEqual(sorted({}, flows), ['b', 'c', 'a']);
    assert.deepEqual(sorted({ sort: 'bytes-in' }, flows), ['c', 'a', 'b']);
    assert.deepEqual(sorted({ sort: 'bytes-in', reverse: true }, flows), ['b', 'a', 'c']);
  });

  it('puts what is not known behind all that is', () => {
    const flows = [flow('a'), flow('b', { packetsIn: 0 }), flow('c', { packetsIn: 7 })];
    assert.deepEqual(sorted({ sort: 'packets-in' }, flows), ['c', 'b', 'a']);
  });

  it('sorts addresses as addresses, IPv4 before IPv6, and ports as numbers', () => {
    const clients = ['[fd00::1]:1', '10.0.0.10:1', '10.0.0.9:80', '10.0.0.9:9', '9.0.0.1:1'];
    const flows = clients.map((client) => flow(client));
    assert.deepEqual(sorted({ sort: 'client' }, flows), [
      '9.0.0.1:1',
      '10.0.0.9:9',
      '10.0.0.9:80',
      '10.0.0.10:1',
      '[fd00::1]:1',
    ]);
  });

  it('puts the older first of two alike', () => {
    const flows = [flow('young', { ageMs: 1 }), flow('old', { ageMs: 9 })];
    assert.deepEqual(sorted({ sort: 'state' }, flows), ['old', 'young']);
    assert.deepEqual(sorted({ sort: 'state', reverse: true }, flows), ['old', 'young']);
  });
});

describe('a query of flows', () => {
  it('takes a look at every flow only where speeds are asked for', () => {
    assert.equal(needsRates({ limit: 1 }), false);
    assert.equal(needsRates({ limit: 1, rates: true }), true);
    assert.equal(needsRates({ limit: 1, sort: 'rate-out' }), true);
  });
});
