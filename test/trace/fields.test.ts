import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changesBetween, fieldsOf } from '../../lib/trace/fields.ts';
import { craft } from '../packet/craft.ts';

const ends = { source: '198.51.100.7', destination: '192.0.2.10', sourcePort: 40_000, destinationPort: 80 };
const six = { source: '2001:db8::7', destination: '2001:db8::10', sourcePort: 40_000, destinationPort: 53 };

/** The names of the fields, with a dash for each byte that has none. */
function uncovered(bytes: Uint8Array): number[] {
  const covered = new Set(
    fieldsOf(bytes).flatMap(({ at, length }) => Array.from({ length }, (_, i) => at + i)),
  );
  return [...bytes.keys()].filter((at) => !covered.has(at));
}

describe('the fields of a packet', () => {
  it('are every byte of its headers, once', () => {
    for (const packet of [
      craft({ ...ends, flags: 'S', tcpOptions: [2, 4, 5, 180] }),
      craft({ ...ends, protocol: 'udp' }),
      craft({ ...six, flags: 'A' }),
      craft({ ...six, protocol: 'udp' }),
      craft({ ...ends, protocol: 'icmp' }),
    ]) {
      assert.deepEqual(uncovered(packet), []);
      const bytes = fieldsOf(packet).reduce((sum, { length }) => sum + length, 0);
      assert.equal(bytes, packet.length);
    }
  });

  it('are none of what is no packet', () => {
    assert.deepEqual(fieldsOf(new Uint8Array(0)), []);
    assert.deepEqual(fieldsOf(Uint8Array.of(0x45, 0, 0, 20)), []);
  });

  it('leave the payload alone', () => {
    const packet = craft({ ...ends, protocol: 'udp', payload: 'word' });
    assert.deepEqual(uncovered(packet), [28, 29, 30, 31]);
  });
});

describe('the changes between two packets', () => {
  it('are named, with both values', () => {
    const after = craft({ ...ends, destination: '10.0.0.2', destinationPort: 8_080 });
    const before = craft(ends);
    const checksum = (bytes: Uint8Array, at: number): string =>
      `0x${Buffer.from(bytes.subarray(at, at + 2)).toString('hex')}`;
    assert.deepEqual(changesBetween(before, after), [
      {
        field: 'header checksum',
        offset: { before: 10, after: 10 },
        length: 2,
        before: checksum(before, 10),
        after: checksum(after, 10),
      },
      {
        field: 'destination address',
        offset: { before: 16, after: 16 },
        length: 4,
        before: '192.0.2.10',
        after: '10.0.0.2',
      },
      {
        field: 'destination port',
        offset: { before: 22, after: 22 },
        length: 2,
        before: '80',
        after: '8080',
      },
      {
        field: 'TCP checksum',
        offset: { before: 36, after: 36 },
        length: 2,
        before: checksum(before, 36),
        after: checksum(after, 36),
      },
    ]);
    assert.deepEqual(changesBetween(before, before), []);
  });

  it('of a packet that went into a tunnel are the outer header alone', () => {
    const inner = craft(ends);
    const outer = craft({ source: '10.0.0.1', destination: '10.0.0.2' }).slice(0, 20);
    const packet = Uint8Array.from([...outer, 0, 0, 8, 0, ...inner]);
    packet[3] = packet.length;
    packet[9] = 47;
    const changes = changesBetween(inner, packet);
    assert.ok(changes.length > 0);
    for (const { field, before, offset } of changes) {
      assert.match(field, /^outer |^GRE /);
      assert.deepEqual([before, offset.before], [null, null]);
    }
    assert.deepEqual(
      changes.filter(({ field }) => field.endsWith('address')).map(({ field, after }) => [field, after]),
      [
        ['outer source address', '10.0.0.1'],
        ['outer destination address', '10.0.0.2'],
      ],
    );
  });

  it('write IPv6 addresses as people do', () => {
    const [change] = changesBetween(craft(six), craft({ ...six, source: 'fd00::1' }));
    assert.deepEqual(
      [change!.field, change!.before, change!.after],
      ['source address', '2001:db8::7', 'fd00::1'],
    );
  });
});
