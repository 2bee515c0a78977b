import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { overlapWithLocalPorts } from '../../../lib/datapath/kernel/local-ports.ts';

describe("the ports of a machine's own connections", () => {
  const overlap = (local: string, reserved: string) =>
    overlapWithLocalPorts([61_000, 65_535], (path) =>
      path === 'net/ipv4/ip_local_port_range'
        ? local
        : path === 'net/ipv4/ip_local_reserved_ports'
          ? reserved
          : undefined,
    );

  it('may be others than ours', () => {
    assert.deepEqual(overlap('32768\t60999', ''), []);
    assert.deepEqual(overlap('32768\t61000', ''), [[61_000, 61_000]]);
    assert.deepEqual(overlap('1024\t65535', ''), [[61_000, 65_535]]);
    assert.deepEqual(
      overlapWithLocalPorts([5_000, 6_000], (path) => (path.endsWith('range') ? '1024\t65535' : undefined)),
      [[5_000, 6_000]],
    );
  });

  it('are not those that are held back', () => {
    assert.deepEqual(overlap('32768\t65535', '61000-65535'), []);
    assert.deepEqual(overlap('32768\t65535', '70,62000-63000,65535'), [
      [61_000, 61_999],
      [63_001, 65_534],
    ]);
  });

  it('are none where the kernel does not tell', () => {
    assert.deepEqual(
      overlapWithLocalPorts([61_000, 65_535], () => undefined),
      [],
    );
  });
});
