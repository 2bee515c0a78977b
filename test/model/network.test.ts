import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIp } from '../../lib/model/ip.ts';
import { contains, formatNetwork, parseNetwork } from '../../lib/model/network.ts';

function holds(network: string, address: string): boolean {
  const bytes = new Uint8Array(20);
  assert.notEqual(parseIp(address, bytes, 4), 0);
  return contains(parseNetwork(network)!, bytes, 4);
}

describe('a network', () => {
  it('has the addresses that begin with its prefix, and no others', () => {
    for (const [network, inside, outside] of [
      ['10.0.0.0/8', '10.255.1.2', '11.0.0.0'],
      ['192.0.2.128/25', '192.0.2.200', '192.0.2.127'],
      ['198.51.100.7', '198.51.100.7', '198.51.100.6'],
      ['2001:db8::/33', '2001:db8:7fff::1', '2001:db8:8000::1'],
      ['fd00::1', 'fd00::1', 'fd00::2'],
    ] as const) {
      assert.equal(holds(network, inside), true, `${inside} in ${network}`);
      assert.equal(holds(network, outside), false, `${outside} in ${network}`);
    }
  });

  it('keeps the families apart: all of IPv4 is 0.0.0.0/0', () => {
    assert.equal(holds('0.0.0.0/0', '203.0.113.9'), true);
    assert.equal(holds('0.0.0.0/0', '2001:db8::1'), false);
    assert.equal(holds('fd00::/8', '10.0.0.1'), false);
  });

  it('does not mind bits behind its prefix', () => {
    assert.deepEqual(parseNetwork('10.1.2.3/8'), parseNetwork('10.0.0.0/8'));
    assert.equal(holds('10.1.2.3/8', '10.9.9.9'), true);
  });

  it('has one spelling', () => {
    for (const [text, spelling] of [
      ['10.1.2.3/8', '10.0.0.0/8'],
      ['10.1.2.3/32', '10.1.2.3'],
      ['FD00:0::1/64', 'fd00::/64'],
      ['fd00::1', 'fd00::1'],
      ['0.0.0.0/0', '0.0.0.0/0'],
    ] as const) {
      assert.equal(formatNetwork(parseNetwork(text)!), spelling);
    }
  });

  it('is not what has no address or too long a prefix', () => {
    for (const text of ['', '/8', '10.0.0.0/33', '10.0.0/8', '::/129', 'fd00::/', 'web', '10.0.0.0/8/8']) {
      assert.equal(parseNetwork(text), undefined, text);
    }
  });
});
