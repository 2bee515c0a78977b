import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkType, linkLayer } from '../../lib/trace/link-layer.ts';
import { craft } from '../packet/craft.ts';

const four = craft({ source: '192.0.2.1', destination: '192.0.2.2' });
const six = craft({ source: '2001:db8::1', destination: '2001:db8::2' });

const macs = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const ipv4 = [0x08, 0x00];
const ipv6 = [0x86, 0xdd];

/** What stands in front of a packet on each link, around the name of what it carries. */
const headers: Readonly<Record<string, readonly [number, number[], number[]]>> = {
  Ethernet: [LinkType.ethernet, macs, []],
  'Ethernet with a VLAN': [LinkType.ethernet, [...macs, 0x81, 0x00, 0, 5], []],
  'Ethernet with two': [LinkType.ethernet, [...macs, 0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6], []],
  'Linux cooked': [LinkType.cooked, [0, 0, 0, 1, 0, 6, ...macs.slice(0, 6), 0, 0], []],
  'Linux cooked 2': [LinkType.cooked2, [], [0, 0, 0, 0, 0, 3, 0, 1, 4, 6, ...macs.slice(0, 6), 0, 0]],
};

describe('a link layer', () => {
  for (const [name, [linkType, front, back]] of Object.entries(headers)) {
    const layer = linkLayer(linkType);
    const framed = (type: number[], packet: Uint8Array) =>
      Uint8Array.from([...front, ...type, ...back, ...packet]);

    it(`finds packets on ${name}, and puts others in their place`, () => {
      for (const [type, packet] of [
        [ipv4, four],
        [ipv6, six],
      ] as const) {
        const frame = framed(type, packet);
        const at = layer.packetAt(frame);
        assert.deepEqual(frame.subarray(at), packet);
        assert.deepEqual(layer.replace(frame, at, packet), frame);
      }
      // Through a tunnel of the other family.
      const frame = framed(ipv6, six);
      assert.deepEqual(layer.replace(frame, layer.packetAt(frame), four), framed(ipv4, four));
    });

    it(`finds none where ${name} carries something else, or nothing`, () => {
      assert.equal(layer.packetAt(framed([0x08, 0x06], new Uint8Array(28))), -1);
      const whole = framed(ipv4, new Uint8Array(0));
      for (let length = 0; length <= whole.length; length++) {
        assert.equal(layer.packetAt(whole.subarray(0, length)), -1);
      }
    });
  }

  it('is nothing around raw packets', () => {
    for (const linkType of [LinkType.raw, LinkType.ipv4, LinkType.ipv6]) {
      assert.equal(linkLayer(linkType).packetAt(four), 0);
      assert.deepEqual(linkLayer(linkType).replace(four, 0, six), six);
    }
  });

  it('is not known for every link', () => {
    assert.throws(() => linkLayer(105), { code: 'ERR_SLUICE_UNKNOWN_LINK' });
  });
});
