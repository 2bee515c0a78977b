import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalIp, formatIp, ipFamily, parseIp } from '../../lib/model/ip.ts';

const bytesOf = (text: string): string => {
  const bytes = new Uint8Array(16);
  assert.notEqual(parseIp(text, bytes, 0), 0, text);
  return Buffer.from(bytes).toString('hex');
};

/** Text that is nearly an address, or one: digits, hex, colons and dots in any order, and real ones bent a little. */
const nearlyAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.:.%'), maxLength: 20 }),
  fc
    .array(fc.constantFrom('0', '00', '1', '255', '256', '010', '1000', ''), { maxLength: 6 })
    .map((parts) => parts.join('.')),
  fc
    .array(fc.constantFrom('0', '1', 'ffff', 'fffff', '', '', 'dead', '1.2.3.4'), { maxLength: 10 })
    .map((parts) => parts.join(':')),
  fc
    .tuple(fc.ipV6(), fc.constantFrom('%eth0', '%', '%1', '%a b', ':', '::', '.1', 'g'))
    .map((parts) => parts.join('')),
);

describe('an IP address', () => {
  for (const [text, hex] of [
    ['0.0.0.0', '00000000000000000000ffff00000000'],
    ['192.0.2.255', '00000000000000000000ffffc00002ff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:DB8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:7.8.9.10', '0001000200030004000500060708090a'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(bytesOf(text), hex));
  }

  for (const text of [
    ...[
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.',
      '.1.2.3',
      '1..2.3',
      '256.0.0.1',
      '1.2.3.1000',
      '01.2.3.4',
      '1.2.3.00',
    ],
    ...['0x7f.0.0.1', '1.2.3.4 ', ' 1.2.3.4', '+1.2.3.4', '1.2.3.4%eth0', '１.2.3.4'],
    ...[
      ':',
      ':::',
      ':1',
      '1:',
      '1:2',
      '::1::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      '::12345',
    ],
    ...[
      '1:2:3:4:5:6:7:8:',
      '1:2:3:4:5:6:7:1.2.3.4',
      '::1.2.3',
      '::1.2.3.4:5',
      '::1.2.3.04',
      '::g',
      '::1%',
      '::1%e 0',
    ],
    ...['[::1]', '::%', 'localhost'],
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(ipFamily(text), 0));
  }

  for (const [text, canonical] of [
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::FFFF:c000:201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ff:c000:201', '::ff:c000:201'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
    ['10.0.0.1', '10.0.0.1'],
  ] as const) {
    it(`writes ${text} as ${canonical}`, () => assert.equal(canonicalIp(text), canonical));
  }

  it('is read and written at the offset that was asked for, and touches nothing beside it', () => {
    const bytes = new Uint8Array(24).fill(0xee);
    assert.equal(parseIp('2001:db8::1', bytes, 4), 6);
    assert.equal(formatIp(bytes, 4, 6), '2001:db8::1');
    assert.deepEqual([...bytes.subarray(0, 4), ...bytes.subarray(20)], Array(8).fill(0xee));
  });

  it('stays inside its 16 bytes whatever the text', () => {
    fc.assert(
      fc.property(nearlyAddress, (text) => {
        const bytes = new Uint8Array(24).fill(0xee);
        parseIp(text, bytes, 4);
        assert.deepEqual([...bytes.subarray(0, 4), ...bytes.subarray(20)], Array(8).fill(0xee));
      }),
      { examples: [['1:2:3:4:5:6:7:8:9'], ['1:2:3:4:5:6:7:1.2.3.4']] },
    );
  });

  it('is an address exactly when Node says so', () => {
    fc.assert(
      fc.property(nearlyAddress, (text) => assert.equal(ipFamily(text), isIP(text), text)),
      { numRuns: 5_000 },
    );
  });

  it('comes back the same from text, for any bytes', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const sparse = fc
      .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
      .map((b) => Uint8Array.from(b));
    fc.assert(
      fc.property(fc.oneof(bytes, sparse), (original) => {
        const read = new Uint8Array(16);
        assert.equal(parseIp(formatIp(original, 0, 6), read, 0), 6);
        assert.deepEqual(read, original);
        read.set(original);
        read.fill(0, 0, 10).fill(0xff, 10, 12);
        const text = formatIp(read, 0, 4);
        assert.equal(isIP(text), 4);
        assert.equal(canonicalIp(text), text);
      }),
      { numRuns: 1_000 },
    );
  });
});
