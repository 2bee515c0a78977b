/** The three states in which the kernel hands a packet over, and what becomes of its L4 checksum in each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outputHook, PacketFlag } from '../../lib/forward/batch.ts';
import { addressBytes, craft, internetChecksum, see } from '../packet/craft.ts';
import { Balancer, type Family, families } from './balancer.ts';

const { checksumNotReady, gso } = PacketFlag;

interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

function fieldOf(family: Family, protocol: 'tcp' | 'udp'): number {
  return (family.version === 4 ? 20 : 40) + (protocol === 'tcp' ? 16 : 6);
}

/** The packet as an offloading kernel leaves it: the field holds the pseudo-header sum, not complemented. */
function partialOf(family: Family, ends: Ends, protocol: 'tcp' | 'udp', length: number): Uint8Array {
  const bytes = craft({ ...ends, protocol, flags: 'S', payload: new Uint8Array(length).fill(7) });
  const header = family.version === 4 ? 20 : 40;
  const pseudo = [...addressBytes(ends.source), ...addressBytes(ends.destination)];
  const size = bytes.length - header;
  pseudo.push(0, protocol === 'tcp' ? 6 : 17, size >> 8, size & 255);
  const sum = ~internetChecksum(pseudo) & 0xffff;
  const field = fieldOf(family, protocol);
  bytes[field] = sum >> 8;
  bytes[field + 1] = sum & 255;
  return bytes;
}

for (const family of families) {
  describe(`an L4 checksum over IPv${family.version}`, () => {
    for (const protocol of ['tcp', 'udp'] as const) {
      const from: Ends = {
        source: family.client,
        destination: family.vip,
        sourcePort: 40_000,
        destinationPort: protocol === 'tcp' ? 80 : 53,
      };
      const to: Ends = {
        source: family.snat,
        destination: family.backend,
        sourcePort: 2000,
        destinationPort: 9000,
      };

      it(`of a ${protocol} super-packet stays a pseudo-header sum, of the new addresses, ports left out`, () => {
        const sent = new Balancer().send(partialOf(family, from, protocol, 30_000), gso | checksumNotReady);
        assert.deepEqual(sent.bytes, partialOf(family, to, protocol, 30_000));
        assert.deepEqual([sent.reason, sent.complete], ['forwarded', false]);
      });

      it(`of a ${protocol} packet that nobody will complete is asked for`, () => {
        const sent = new Balancer().send(partialOf(family, from, protocol, 100), checksumNotReady);
        assert.deepEqual(sent.bytes, partialOf(family, to, protocol, 100));
        assert.deepEqual([sent.reason, sent.complete], ['forwarded', true]);
      });

      it(`of any other ${protocol} packet is brought up to date`, () => {
        for (const flags of [0, gso, 0x04]) {
          const sent = new Balancer().send(craft({ ...from, protocol, flags: 'S', payload: 'x' }), flags);
          assert.deepEqual(sent.bytes, craft({ ...to, protocol, flags: 'S', payload: 'x' }));
          assert.equal(sent.complete, false);
        }
      });
    }

    it('of a super-packet to this machine itself is asked for: nobody cuts it up, and it is looked at', () => {
      const request = {
        source: family.client,
        destination: family.vip,
        sourcePort: 40_000,
        destinationPort: 80,
      };
      const answer = {
        source: family.backend,
        destination: family.snat,
        sourcePort: 9000,
        destinationPort: 2000,
      };
      for (const own of ['client', 'backend'] as const) {
        const balancer = new Balancer();
        const sendBy = (by: typeof own, packet: Uint8Array, flags: number) => {
          balancer.batch.hook[0] = by === own ? outputHook : 0;
          const { reason, complete } = balancer.send(packet, flags);
          return [reason, complete];
        };
        sendBy('client', craft({ ...request, flags: 'S' }), 0);
        sendBy('backend', craft({ ...answer, flags: 'SA' }), 0);
        const superPackets = gso | checksumNotReady;
        assert.deepEqual(
          sendBy('client', partialOf(family, request, 'tcp', 30_000), superPackets),
          own === 'client' ? ['forwarded', false] : ['delivered', true],
        );
        assert.deepEqual(
          sendBy('backend', partialOf(family, answer, 'tcp', 30_000), superPackets),
          own === 'client' ? ['delivered', true] : ['forwarded', false],
        );
      }
    });

    it('is complete in a reset, however the packet it answers came', () => {
      const balancer = new Balancer({ pick: () => 0 });
      const ends = { source: family.client, destination: family.vip, sourcePort: 1, destinationPort: 80 };
      const sent = balancer.send(partialOf(family, ends, 'tcp', 0), checksumNotReady);
      assert.deepEqual([sent.reason, sent.complete, see(sent.bytes).wrong], ['reset-sent', false, []]);
    });
  });
}

describe('a datagram without a checksum', () => {
  it('goes on without one over IPv4', () => {
    const [v4] = families;
    const ends = { source: v4.client, destination: v4.vip, sourcePort: 1, destinationPort: 53 };
    const sent = new Balancer().send(craft({ ...ends, protocol: 'udp', noUdpChecksum: true, payload: 'x' }));
    assert.deepEqual([sent.reason, sent.bytes[26], sent.bytes[27]], ['forwarded', 0, 0]);
  });

  it('is dropped over IPv6, which demands one, also in a flow', () => {
    const [, v6] = families;
    const ends = { source: v6.client, destination: v6.vip, sourcePort: 1, destinationPort: 53 };
    const without = craft({ ...ends, protocol: 'udp', noUdpChecksum: true, payload: 'x' });
    const balancer = new Balancer();
    assert.equal(balancer.send(without).reason, 'no-checksum');
    assert.equal(balancer.send(craft({ ...ends, protocol: 'udp' })).reason, 'forwarded');
    assert.equal(balancer.send(without).reason, 'no-checksum');
  });
});
