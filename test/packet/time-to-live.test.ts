import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { setTimeToLive, timeToLiveOf } from '../../lib/packet/time-to-live.ts';
import { craft } from './craft.ts';

describe('the time to live', () => {
  for (const ends of [
    { source: '198.51.100.7', destination: '1.2.3.4' },
    { source: '2001:db8::7', destination: '2001:db8:1::4' },
  ]) {
    it(`is read and set, and nothing else, in a packet from ${ends.source}`, () => {
      for (const [before, after] of [
        [64, 63],
        [1, 0],
        [0, 255],
        [255, 64],
      ] as const) {
        const bytes = craft({ ...ends, ttl: before, payload: 'odd' });
        const view = new DataView(bytes.buffer);
        const packet = new Packet();
        assert.equal(parsePacket(packet, view, 0, bytes.length), 0);
        assert.equal(timeToLiveOf(view, packet), before);
        setTimeToLive(view, packet, after);
        assert.deepEqual(bytes, craft({ ...ends, ttl: after, payload: 'odd' }));
      }
    });
  }
});
