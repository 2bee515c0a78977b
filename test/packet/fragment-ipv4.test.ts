import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fragmentRoom, writeFragment } from '../../lib/packet/fragment-ipv4.ts';
import { type Craft, craft } from './craft.ts';
import { reassemble } from './reassemble.ts';

const ends = { source: '198.51.100.7', destination: '1.2.3.4', protocol: 'udp' } as const;

/** All fragments of a packet for links of `mtu` bytes. */
function cutUp(packet: Uint8Array, mtu: number): Uint8Array[] {
  const header = (packet[0]! & 15) * 4;
  const room = fragmentRoom(mtu, header);
  const from = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < packet.length - header; at += room) {
    const length = Math.min(room, packet.length - header - at);
    const to = new Uint8Array(header + length).fill(0xff);
    const isLast = at + length === packet.length - header;
    assert.equal(
      writeFragment(from, 0, header, at, length, isLast, new DataView(to.buffer), 0),
      header + length,
    );
    fragments.push(to);
  }
  return fragments;
}

describe('an IPv4 packet that is cut up', () => {
  it('is the same again once it is put together', () => {
    const packet = fc.record({
      payload: fc.uint8Array({ minLength: 1, maxLength: 600 }),
      ttl: fc.nat(255),
      trafficClass: fc.nat(255),
      fragment: fc.option(fc.record({ id: fc.nat(0xffff), from: fc.constantFrom(0, 8, 64) }), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(packet, fc.integer({ min: 28, max: 400 }), ({ fragment, ...what }, mtu) => {
        const payload =
          fragment === undefined ? what.payload : Uint8Array.from([...what.payload, ...new Uint8Array(64)]);
        const whole = craft({ ...ends, ...what, payload, ...(fragment === undefined ? {} : { fragment }) });
        const fragments = cutUp(whole, mtu);
        for (const each of fragments) assert.ok(each.length <= mtu);
        assert.deepEqual(reassemble(fragments), whole);
      }),
    );
  });

  it('that is a fragment with more behind it has more behind each of its own', () => {
    const what: Craft = { ...ends, payload: new Uint8Array(200), fragment: { id: 3, from: 64, to: 160 } };
    const flags = cutUp(craft(what), 60).map((bytes) => [
      bytes[6]! >> 5,
      ((bytes[6]! & 31) << 8) | bytes[7]!,
    ]);
    assert.deepEqual(flags, [
      [1, 8],
      [1, 13],
      [1, 18],
    ]);
  });

  it('takes along only the options that every fragment needs', () => {
    const recordRoute = [7, 7, 4, 0, 0, 0, 0];
    const strictRoute = [137, 7, 4, 10, 0, 0, 1];
    const options = [...recordRoute, 1, ...strictRoute, 0];
    const [first, second] = cutUp(craft({ ...ends, ipOptions: options, payload: new Uint8Array(64) }), 80);
    assert.deepEqual([...first!.subarray(20, 36)], options);
    assert.deepEqual([...second!.subarray(20, 36)], [...new Array<number>(8).fill(1), ...strictRoute, 0]);
  });

  it('with options that make no sense is left alone from there on', () => {
    for (const options of [
      [7, 1, 4, 4],
      [7, 9, 4, 4],
      [1, 1, 1, 7],
      [0, 7, 3, 4],
    ]) {
      const [, second] = cutUp(craft({ ...ends, ipOptions: options, payload: new Uint8Array(64) }), 60);
      assert.deepEqual([...second!.subarray(20, 24)], options);
    }
  });
});

it('there is room for a multiple of eight bytes behind the header, or for none', () => {
  assert.deepEqual(
    [fragmentRoom(1476, 20), fragmentRoom(28, 20), fragmentRoom(27, 20), fragmentRoom(10, 20)],
    [1456, 8, 0, 0],
  );
});
