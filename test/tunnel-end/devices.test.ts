import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { furnishing } from '../../lib/tunnel-end/devices.ts';

describe('a device that packets come out of', () => {
  it('has an address and a loose reverse path test for IPv4, and takes IPv6', () => {
    assert.deepEqual(furnishing('sluice-gre', [4, 6]), {
      address: ['192.0.0.8/32', 'scope', 'link'],
      settings: [
        { path: 'net/ipv4/conf/sluice-gre/rp_filter', wanted: '2' },
        { path: 'net/ipv6/conf/sluice-gre/disable_ipv6', wanted: '0' },
      ],
    });
  });

  it('takes no IPv6 where none is due, and needs no address without IPv4', () => {
    const ipv6 = 'net/ipv6/conf/sluice-gre/disable_ipv6';
    assert.deepEqual(furnishing('sluice-gre', [4]).settings.at(-1), { path: ipv6, wanted: '1' });
    assert.deepEqual(furnishing('sluice-gre', [6]), {
      address: undefined,
      settings: [{ path: ipv6, wanted: '0' }],
    });
  });
});
