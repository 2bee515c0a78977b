import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reset } from '../../lib/forward/reset.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { type Craft, craft, see } from '../packet/craft.ts';
import { families } from './balancer.ts';

function answer(what: Craft): Uint8Array {
  const bytes = craft(what);
  const view = new DataView(bytes.buffer);
  const packet = new Packet();
  assert.equal(parsePacket(packet, view, 0, bytes.length), 0);
  const reset = new Reset();
  reset.answer(packet);
  return bytes.subarray(0, reset.write(view, 0));
}

for (const { client, vip, version } of families) {
  describe(`a reset over IPv${version}`, () => {
    const ends = { source: client, destination: vip, sourcePort: 40_000, destinationPort: 80 };

    it('says what RFC 9293 §3.5.2 wants', () => {
      const rows: readonly [
        what: Partial<Craft>,
        flags: string,
        sequence: number,
        acknowledgement: number,
      ][] = [
        [{ flags: 'S', sequence: 100 }, 'RA', 0, 101],
        [{ flags: 'S', sequence: 100, payload: 'early' }, 'RA', 0, 106],
        [{ flags: 'S', sequence: 0xffff_ffff }, 'RA', 0, 0],
        [{ flags: 'A', sequence: 100, acknowledgement: 900 }, 'R', 900, 0],
        [{ flags: 'FA', sequence: 100, acknowledgement: 900 }, 'R', 900, 0],
        [{ flags: 'P', sequence: 100, payload: 'data' }, 'RA', 0, 104],
      ];
      for (const [what, flags, sequence, acknowledgement] of rows) {
        const seen = see(answer({ ...ends, ...what }));
        assert.deepEqual(
          [seen.flags, seen.sequence, seen.acknowledgement, seen.wrong],
          [flags, sequence, acknowledgement, []],
        );
        assert.deepEqual([seen.sourcePort, seen.destinationPort, seen.payload.length], [80, 40_000, 0]);
      }
    });

    it('leaves options, extension headers and data behind', () => {
      const bytes = answer({
        ...ends,
        flags: 'A',
        ipOptions: [1, 1, 1, 1],
        extensions: [[60, [1, 4, 0, 0, 0, 0]]],
        tcpOptions: [1, 1, 1, 1],
        payload: 'x'.repeat(100),
      });
      assert.equal(bytes.length, version === 4 ? 40 : 60);
      assert.deepEqual(see(bytes).wrong, []);
      assert.equal(see(bytes).ttl, 64);
    });
  });
}
