import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { writeAddress } from '../../lib/packet/address.ts';
import { writeDatagram } from '../../lib/packet/datagram.ts';
import { see } from './craft.ts';

const ends = [
  { source: '198.51.100.7', destination: '1.2.3.4' },
  { source: '2001:db8::7', destination: '2001:db8:1::4' },
];

describe('a datagram of our own', () => {
  for (const { source, destination } of ends) {
    it(`from ${source} says what it was told, with right checksums`, () => {
      const words = new Int32Array(8);
      writeAddress(source, words, 0);
      writeAddress(destination, words, 4);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(0xffff), fc.nat(0xffff), (payload, from, to) => {
          const bytes = new Uint8Array(200).fill(0xff);
          const length = writeDatagram(new DataView(bytes.buffer), 11, {
            words,
            sourcePort: from,
            destinationPort: to,
            payload,
          });
          const seen = see(bytes.subarray(11, 11 + length));
          assert.deepEqual([seen.source, seen.destination, seen.protocol], [source, destination, 17]);
          assert.deepEqual([seen.sourcePort, seen.destinationPort, seen.wrong], [from, to, []]);
          assert.deepEqual(Uint8Array.from(seen.payload), payload);
          const around = [...bytes.subarray(0, 11), ...bytes.subarray(11 + length)];
          assert.ok(around.every((byte) => byte === 0xff));
        }),
      );
    });
  }
});
