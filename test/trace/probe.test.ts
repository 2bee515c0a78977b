import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { craft, see } from '../packet/craft.ts';

const tcp = parseFlowTuple(['tcp', '198.51.100.7:40000', '192.0.2.10:80']);
const udp = parseFlowTuple(['udp', '[2001:db8::7]:40000', '[2001:db8::10]:53']);

describe('the packet that stands for a flow', () => {
  it('is as another hand would have made it', () => {
    const ends = {
      source: '198.51.100.7',
      destination: '192.0.2.10',
      sourcePort: 40_000,
      destinationPort: 80,
    };
    const made = craft({ ...ends, flags: 'S', ttl: 64, fragment: { id: 0, from: 0 } });
    const probe = probePacket(tcp, true);
    // All but "don't fragment", and the checksum over it.
    const same = (bytes: Uint8Array) => [
      ...bytes.subarray(0, 6),
      ...bytes.subarray(8, 10),
      ...bytes.subarray(12),
    ];
    assert.deepEqual(same(probe), same(made));
    const six = {
      source: '2001:db8::7',
      destination: '2001:db8::10',
      sourcePort: 40_000,
      destinationPort: 53,
    };
    assert.deepEqual(probePacket(udp, true), craft({ ...six, protocol: 'udp', ttl: 64 }));
  });

  it('opens the flow, or goes on with it', () => {
    assert.equal(see(probePacket(tcp, true)).flags, 'S');
    assert.equal(see(probePacket(tcp, false)).flags, 'A');
    assert.deepEqual(probePacket(udp, true), probePacket(udp, false));
  });

  it('has the right checksums, whatever the family and protocol', () => {
    const ends = [
      ['198.51.100.7:40000', '192.0.2.10:80'],
      ['[2001:db8::7]:40000', '[2001:db8::10]:53'],
    ] as const;
    for (const [client, vip] of ends) {
      for (const protocol of ['tcp', 'udp']) {
        for (const opening of [true, false]) {
          const { wrong } = see(probePacket(parseFlowTuple([protocol, client, vip]), opening));
          assert.deepEqual(wrong, [], `${protocol} ${client}`);
        }
      }
    }
  });
});
