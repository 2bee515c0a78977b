import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fragmentRoom } from '../../lib/packet/fragment-ipv4.ts';
import { ipv6FragmentOverhead, writeIpv6Fragment } from '../../lib/packet/fragment-ipv6.ts';
import { craft, see } from './craft.ts';
import { reassembleIpv6 } from './reassemble.ts';

const ends = { source: '2001:db8::7', destination: '2001:db8:1::4', protocol: 'udp' } as const;

/** All fragments of a packet for links of `mtu` bytes. */
function cutUp(packet: Uint8Array, mtu: number, identification: number): Uint8Array[] {
  const room = fragmentRoom(mtu, ipv6FragmentOverhead);
  const from = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < packet.length - 40; at += room) {
    const length = Math.min(room, packet.length - 40 - at);
    const to = new Uint8Array(ipv6FragmentOverhead + length).fill(0xff);
    const isLast = at + length === packet.length - 40;
    const view = new DataView(to.buffer);
    assert.equal(writeIpv6Fragment(from, 0, at, length, isLast, identification, view, 0), to.length);
    fragments.push(to);
  }
  return fragments;
}

describe('an IPv6 packet that is cut up', () => {
  it('is the same again once it is put together', () => {
    const what = fc.record({
      payload: fc.uint8Array({ minLength: 1, maxLength: 600 }),
      ttl: fc.nat(255),
      trafficClass: fc.nat(255),
    });
    const identification = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(what, fc.integer({ min: 56, max: 400 }), identification, (craftWhat, mtu, id) => {
        const whole = craft({ ...ends, ...craftWhat });
        const fragments = cutUp(whole, mtu, id);
        for (const each of fragments) assert.ok(each.length <= mtu);
        assert.deepEqual(reassembleIpv6(fragments.toReversed()), whole);
        assert.deepEqual(see(reassembleIpv6(fragments)).wrong, []);
      }),
    );
  });

  it('has the same identification in each fragment', () => {
    const fragments = cutUp(craft({ ...ends, payload: new Uint8Array(300) }), 100, 0x12345678);
    assert.ok(fragments.length > 3);
    for (const bytes of fragments) assert.deepEqual([...bytes.subarray(44, 48)], [0x12, 0x34, 0x56, 0x78]);
  });
});
