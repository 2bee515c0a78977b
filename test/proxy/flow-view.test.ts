import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MeteredFlow } from '../../lib/proxy/flow-meter.ts';
import { viewFlow } from '../../lib/proxy/flow-view.ts';
import { serviceOf } from './support.ts';

const { context, pool } = serviceOf({ backends: 1 });

function view(clientAddress: string, vipAddress: string) {
  const flow = {
    protocol: 'tcp',
    clientAddress,
    clientPort: 1234,
    vipAddress,
    vipPort: 80,
    state: 'established',
    backend: pool.backends[0]!,
    startedMs: 0,
    lastMs: 0,
    packetsIn: null,
    packetsOut: null,
    ...new MeteredFlow(),
  } as const;
  const { client, vip } = viewFlow(flow, context);
  return [client, vip];
}

describe('the view of a flow', () => {
  it('shows IPv6 in brackets', () => {
    assert.deepEqual(view('2001:db8::1', '2001:db8::80'), ['[2001:db8::1]:1234', '[2001:db8::80]:80']);
  });

  it('shows an IPv4 client of a socket of both families as what it is', () => {
    assert.deepEqual(view('::ffff:192.0.2.1', '::ffff:198.51.100.1'), ['192.0.2.1:1234', '198.51.100.1:80']);
  });

  it('leaves alone what only looks like it', () => {
    assert.deepEqual(view('::ffff:0:1', '::'), ['[::ffff:0:1]:1234', '[::]:80']);
  });
});
