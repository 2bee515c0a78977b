import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FlowTuple, flowKeyLength, writeFlowKey, writeSourceKey } from '../../lib/hash/flow-key.ts';

const flow: FlowTuple = {
  protocol: 'tcp',
  clientAddress: '192.0.2.1',
  clientPort: 0x1234,
  vipAddress: '2001:db8::1',
  vipPort: 0x0050,
};

function keyOf(overrides: Partial<FlowTuple>): string {
  const key = new Uint8Array(flowKeyLength).fill(0xff);
  assert.equal(writeFlowKey({ ...flow, ...overrides }, key), flowKeyLength);
  return Buffer.from(key).toString('hex');
}

describe('a flow key', () => {
  it('is client, VIP, their ports and the protocol, in network order', () => {
    assert.equal(
      keyOf({}),
      ['00000000000000000000ffffc0000201', '20010db8000000000000000000000001', '1234', '0050', '06'].join(''),
    );
    assert.equal(keyOf({ protocol: 'udp' }).slice(-2), '11');
  });

  it('is the same for an IPv4 client of a socket for both families', () => {
    assert.equal(keyOf({ clientAddress: '::ffff:192.0.2.1' }), keyOf({}));
  });

  it('leaves the zone of a link-local address out', () => {
    assert.equal(keyOf({ clientAddress: 'fe80::1%eth0' }), keyOf({ clientAddress: 'fe80::1' }));
  });

  it('begins with the source key, which is the client address alone', () => {
    const key = new Uint8Array(flowKeyLength).fill(0xff);
    assert.equal(writeSourceKey(flow, key), 16);
    assert.equal(Buffer.from(key.subarray(0, 16)).toString('hex'), keyOf({}).slice(0, 32));
    assert.ok(key.subarray(16).every((byte) => byte === 0xff));
  });

  it('holds zeros where text is not an address, and nothing of an earlier key', () => {
    for (const clientAddress of ['', 'backend.internal', '1:2:3', '300.0.0.1']) {
      assert.equal(keyOf({ clientAddress }).slice(0, 32), '0'.repeat(32));
    }
  });
});
