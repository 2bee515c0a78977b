import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { icmpErrorLength, writeIcmpError } from '../../lib/forward/icmp-answer.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { type Craft, craft, see } from '../packet/craft.ts';
import { families } from './balancer.ts';

const margin = 64;

for (const family of families) {
  const { client, vip, version, icmp } = family;
  const [type, code] = icmp.tooBig;

  describe(`an ICMP error of our own over IPv${version}`, () => {
    /** The error over a packet; nothing else may be touched. */
    function errorOver(what: Partial<Craft>): { readonly error: Uint8Array; readonly quoted: Uint8Array } {
      const quoted = craft({ source: client, destination: vip, ...what });
      const bytes = new Uint8Array(margin + quoted.length + margin).fill(0xff);
      bytes.set(quoted, margin);
      const view = new DataView(bytes.buffer);
      const packet = new Packet();
      assert.equal(parsePacket(packet, view, margin, margin + quoted.length), 0);
      const start = writeIcmpError(view, packet, type, code, 1_400);
      assert.equal(margin - start, version === 4 ? 28 : 48);
      assert.deepEqual(bytes.subarray(margin, margin + quoted.length), quoted, 'stays where it is');
      for (const at of [...bytes.keys()]) {
        if (at < start || at >= margin + quoted.length) assert.equal(bytes[at], 0xff);
      }
      return { error: bytes.slice(start, start + icmpErrorLength(packet)), quoted };
    }

    it('comes from whom the packet was for, and quotes it', () => {
      const { error, quoted } = errorOver({ protocol: 'udp', payload: 'odd', destinationPort: 53 });
      const seen = see(error);
      assert.deepEqual(
        [seen.source, seen.destination, seen.ttl, seen.icmp, seen.wrong],
        [see(quoted).destination, see(quoted).source, 64, [type, code], []],
      );
      assert.deepEqual(seen.payload, quoted);
    });

    it('says what is to be said behind the checksum', () => {
      const { error } = errorOver({ protocol: 'udp' });
      assert.equal(new DataView(error.buffer).getUint32(version === 4 ? 24 : 44), 1_400);
    });

    it('quotes no more than fits into what every host takes', () => {
      const { error, quoted } = errorOver({ protocol: 'tcp', payload: new Uint8Array(2_000).fill(7) });
      assert.equal(error.length, version === 4 ? 576 : 1_280);
      const seen = see(error);
      assert.deepEqual(seen.wrong, []);
      assert.deepEqual(seen.payload, quoted.subarray(0, seen.payload.length));
    });
  });
}
