import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { writeAddress } from '../../lib/packet/address.ts';
import { fold, pseudoHeaderSum } from '../../lib/packet/checksum.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { rewriteAddresses, rewritePorts } from '../../lib/packet/rewrite.ts';
import { craft, see } from './craft.ts';

interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

function rewrite(bytes: Uint8Array, to: Ends, partial = false): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packet = new Packet();
  assert.equal(parsePacket(packet, view, 0, bytes.length), 0);
  const words = new Int32Array(8);
  assert.ok(writeAddress(to.source, words, 0) && writeAddress(to.destination, words, 4));
  const delta = rewriteAddresses(view, packet, words, 0, words, 4);
  rewritePorts(view, packet, to.sourcePort, to.destinationPort, delta, partial);
}

const port = fc.integer({ min: 0, max: 65_535 });
const v4Ends = fc.record({
  source: fc.ipV4(),
  destination: fc.ipV4(),
  sourcePort: port,
  destinationPort: port,
});
const v6 = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));
const v6Ends = fc.record({ source: v6, destination: v6, sourcePort: port, destinationPort: port });
const twoEnds = fc.oneof(fc.tuple(v4Ends, v4Ends), fc.tuple(v6Ends, v6Ends));
const protocol = fc.constantFrom('tcp', 'udp');
const payload = fc.uint8Array({ maxLength: 40 });

describe('a rewritten packet', () => {
  it('says what was asked for, and all its checksums are right', () => {
    fc.assert(
      fc.property(twoEnds, protocol, payload, ([from, to], name, data) => {
        const bytes = craft({ ...from, protocol: name as 'tcp', payload: data });
        rewrite(bytes, to);
        const seen = see(bytes);
        const fresh = see(craft({ ...to, protocol: name as 'tcp', payload: data }));
        assert.deepEqual(seen, fresh);
        assert.deepEqual(seen.wrong, []);
      }),
    );
  });

  it('rewritten back is the packet that came, to the byte', () => {
    fc.assert(
      fc.property(twoEnds, protocol, payload, ([from, to], name, data) => {
        const bytes = craft({ ...from, protocol: name as 'tcp', payload: data });
        const before = bytes.slice();
        rewrite(bytes, to);
        rewrite(bytes, from);
        assert.deepEqual(bytes, before);
      }),
    );
  });

  it('stays wrong when it came wrong', () => {
    const bytes = craft({
      source: '1.1.1.1',
      destination: '2.2.2.2',
      sourcePort: 1,
      destinationPort: 2,
      payload: 'x',
    });
    bytes[40]! ^= 1;
    rewrite(bytes, { source: '3.3.3.3', destination: '4.4.4.4', sourcePort: 5, destinationPort: 6 });
    assert.deepEqual(see(bytes).wrong, ['transport']);
  });

  it('has no UDP checksum if it had none', () => {
    const ends = { source: '1.1.1.1', destination: '2.2.2.2', sourcePort: 1, destinationPort: 2 };
    const bytes = craft({ ...ends, protocol: 'udp', payload: 'x', noUdpChecksum: true });
    rewrite(bytes, { ...ends, source: '3.3.3.3' });
    assert.deepEqual([bytes[26], bytes[27]], [0, 0]);
  });

  it('has a UDP checksum of 0xFFFF where 0 comes out, which would mean none', () => {
    const to = { source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 7, destinationPort: 9 };
    for (let value = 0; value <= 0xffff; value++) {
      const data = Uint8Array.of(value >> 8, value & 255);
      const wanted = craft({ ...to, protocol: 'udp', payload: data });
      if (wanted[26] !== 0xff || wanted[27] !== 0xff) continue;
      const bytes = craft({
        ...to,
        source: '198.51.100.7',
        sourcePort: 40_000,
        protocol: 'udp',
        payload: data,
      });
      rewrite(bytes, to);
      assert.deepEqual(bytes, wanted);
      return;
    }
    assert.fail('some payload has this checksum');
  });
});

describe('a packet whose checksum is still to be completed', () => {
  /** As the kernel hands it over: the folded pseudo-header sum in the field. */
  function partialOf(ends: Ends, name: 'tcp' | 'udp'): Uint8Array {
    const bytes = craft({ ...ends, protocol: name, payload: 'data' });
    const v4 = ends.source.includes('.');
    const packet = new Packet();
    const view = new DataView(bytes.buffer);
    parsePacket(packet, view, 0, bytes.length);
    const length = packet.end - packet.transport;
    const sum = fold(pseudoHeaderSum(packet.words, v4 ? 4 : 6, packet.protocol, length));
    view.setUint16(packet.transport + (name === 'tcp' ? 16 : 6), sum);
    return bytes;
  }

  it('holds the pseudo-header sum of its new addresses, whatever its ports', () => {
    fc.assert(
      fc.property(twoEnds, protocol, ([from, to], name) => {
        const bytes = partialOf(from, name as 'tcp');
        rewrite(bytes, to, true);
        const field = (from.source.includes('.') ? 20 : 40) + (name === 'tcp' ? 16 : 6);
        const wanted = partialOf(to, name as 'tcp');
        const sumOf = (of: Uint8Array) => (of[field]! << 8) | of[field + 1]!;
        assert.equal(sumOf(bytes) % 0xffff, sumOf(wanted) % 0xffff);
      }),
    );
  });
});
