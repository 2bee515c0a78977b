import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressSpreadOf, spreadOf } from '../../lib/forward/spread.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { type Craft, craft } from '../packet/craft.ts';

function parsed(what: Craft): Packet {
  const bytes = craft(what);
  const packet = new Packet();
  assert.equal(parsePacket(packet, new DataView(bytes.buffer), 0, bytes.length), 0);
  return packet;
}

const flow = { source: '198.51.100.7', destination: '1.2.3.4', sourcePort: 40_000, destinationPort: 80 };

/** How many of `buckets` numbers fall into each, by their lowest bits. */
function tally(numbers: readonly number[], buckets: number): number[] {
  const counts = new Array<number>(buckets).fill(0);
  for (const number of numbers) counts[(number >>> 0) % buckets]!++;
  return counts;
}

describe('the spread of a flow', () => {
  it('is the same for all of its packets', () => {
    const [syn, data] = [
      parsed({ ...flow, flags: 'S' }),
      parsed({ ...flow, flags: 'A', payload: 'x', ttl: 7 }),
    ];
    assert.equal(spreadOf(syn), spreadOf(data));
  });

  it('differs with port, address and protocol', () => {
    const others: Craft[] = [
      { ...flow, sourcePort: 40_001 },
      { ...flow, destinationPort: 443 },
      { ...flow, source: '198.51.100.8' },
      { ...flow, protocol: 'udp' },
    ];
    assert.equal(new Set([flow, ...others].map((what) => spreadOf(parsed(what)))).size, 5);
  });

  for (const [name, source] of [
    ['IPv4', (index: number) => `198.51.${index >> 8}.${index & 255}`],
    ['IPv6', (index: number) => `2001:db8:${index.toString(16)}::7`],
  ] as const) {
    it(`is even, over ports and over addresses of ${name}`, () => {
      const destination = name === 'IPv4' ? '1.2.3.4' : '2001:db8:1::4';
      const numbers = Array.from({ length: 4_096 }, (_, index) => index);
      const ports = numbers.map((index) =>
        spreadOf(parsed({ ...flow, destination, source: source(1), sourcePort: 32_768 + index })),
      );
      const addresses = numbers.map((index) =>
        addressSpreadOf(parsed({ ...flow, destination, source: source(index) })),
      );
      for (const spreads of [ports, addresses]) {
        // 256 ± 6 standard deviations.
        for (const count of tally(spreads, 16)) assert.ok(count > 160 && count < 352, String(count));
      }
    });
  }
});
