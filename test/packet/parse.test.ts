import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../../lib/packet/address.ts';
import { Fragment, Packet, parseOutcomes } from '../../lib/packet/packet.ts';
import { parsePacket, parseQuoted } from '../../lib/packet/parse.ts';
import { noWindowScale, windowScaleOf } from '../../lib/packet/tcp.ts';
import { type Craft, craft } from './craft.ts';

const v4 = { source: '198.51.100.7', destination: '1.2.3.4' } as const;
const v6 = { source: '2001:db8::7', destination: '2001:db8:1::4' } as const;
const pad = [1, 4, 0, 0, 0, 0];

/** The packet stands behind `before` bytes of poison and before as many. */
function poisoned(bytes: Uint8Array, before: number, poison: number): DataView {
  const all = new Uint8Array(bytes.length + 2 * before).fill(poison);
  all.set(bytes, before);
  return new DataView(all.buffer);
}

function parse(bytes: Uint8Array, quoted = false): { outcome: string; packet: Packet; view: DataView } {
  const packet = new Packet();
  const view = poisoned(bytes, 32, 0xff);
  const outcome = (quoted ? parseQuoted : parsePacket)(packet, view, 32, 32 + bytes.length);
  return { outcome: parseOutcomes[outcome]!, packet, view };
}

describe('a TCP segment', () => {
  for (const ends of [v4, v6]) {
    it(`is taken apart, from ${ends.source}`, () => {
      const { outcome, packet } = parse(
        craft({
          ...ends,
          sourcePort: 40_000,
          destinationPort: 80,
          flags: 'PA',
          sequence: 0xfedcba98,
          acknowledgement: 7,
          window: 1234,
          tcpOptions: [1, 1, 1, 0],
          payload: 'hello',
        }),
      );
      assert.equal(outcome, 'ok');
      assert.equal(formatAddress(packet.words, 0), ends.source);
      assert.equal(formatAddress(packet.words, 4), ends.destination);
      assert.deepEqual([packet.sourcePort, packet.destinationPort, packet.protocol], [40_000, 80, 6]);
      assert.deepEqual([packet.sequence >>> 0, packet.acknowledgement, packet.window], [0xfedcba98, 7, 1234]);
      assert.equal(packet.tcpFlags, 0x18);
      assert.equal(packet.payload - packet.transport, 24);
      assert.equal(packet.end - packet.payload, 5);
      assert.equal(packet.fragment, Fragment.none);
    });
  }

  it('has its window scale read, bounded by RFC 7323', () => {
    const scaleOf = (tcpOptions: readonly number[]): number => {
      const { packet, view } = parse(craft({ ...v4, flags: 'S', tcpOptions, payload: '\x07' }));
      return windowScaleOf(packet, view);
    };
    assert.equal(scaleOf([2, 4, 5, 0xb4, 1, 3, 3, 7]), 7);
    assert.equal(scaleOf([3, 3, 200, 0]), 14);
    assert.equal(scaleOf([2, 4, 5, 0xb4]), noWindowScale);
    assert.equal(scaleOf([0, 3, 3, 7]), noWindowScale, 'behind the end of options');
    assert.equal(scaleOf([2, 0, 3, 3]), noWindowScale, 'an option of no length');
    assert.equal(scaleOf([1, 1, 1, 3]), noWindowScale, 'cut off');
    assert.equal(scaleOf([5, 9, 3, 3]), noWindowScale, 'longer than the header');
    assert.equal(scaleOf([1, 1, 3, 3]), noWindowScale, 'with its last byte behind the header');
  });
});

describe('what is carried along', () => {
  const rows: readonly [name: string, what: Craft, transport: number][] = [
    ['IPv4 options', { ...v4, ipOptions: [7, 7, 4, 0, 0, 0, 0, 0] }, 28],
    ['hop-by-hop options', { ...v6, extensions: [[0, pad]] }, 48],
    [
      'destination options, twice',
      {
        ...v6,
        extensions: [
          [60, pad],
          [60, [...pad, 1, 6, 0, 0, 0, 0, 0, 0]],
        ],
      },
      64,
    ],
    ['a routing header at its end', { ...v6, extensions: [[43, [4, 0, 0, 0, 0, 0]]] }, 48],
    [
      'an authentication header',
      { ...v6, extensions: [[51, [0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9]]] },
      56,
    ],
    ['an atomic fragment header', { ...v6, extensions: [[44, [0, 0, 0, 0, 0, 1]]] }, 48],
  ];
  for (const [name, what, transport] of rows) {
    it(`does not hide the transport: ${name}`, () => {
      const { outcome, packet } = parse(craft({ ...what, sourcePort: 5, destinationPort: 6 }));
      assert.equal(outcome, 'ok');
      assert.equal(packet.transport - 32, transport);
      assert.deepEqual([packet.sourcePort, packet.destinationPort], [5, 6]);
      assert.equal(packet.fragment, Fragment.none);
    });
  }

  it('has a protocol of its own without being wrong', () => {
    for (const ends of [v4, v6]) {
      const { outcome, packet } = parse(craft({ ...ends, protocol: 'other', payload: 'x' }));
      assert.deepEqual([outcome, packet.protocol, packet.sourcePort], ['ok', 132, 0]);
    }
  });
});

describe('a fragment', () => {
  for (const ends of [v4, v6]) {
    const what = {
      ...ends,
      protocol: 'udp',
      sourcePort: 5,
      destinationPort: 6,
      payload: 'x'.repeat(40),
    } as const;
    it(`is first, later or neither, from ${ends.source}`, () => {
      const first = parse(craft({ ...what, fragment: { id: 77, from: 0, to: 24 } }));
      assert.deepEqual(
        [first.outcome, first.packet.fragment, first.packet.fragmentId],
        ['ok', Fragment.first, 77],
      );
      assert.deepEqual([first.packet.fragmentOffset, first.packet.moreFragments], [0, true]);
      assert.deepEqual([first.packet.sourcePort, first.packet.destinationPort], [5, 6]);
      const later = parse(craft({ ...what, fragment: { id: 77, from: 24 } }));
      assert.deepEqual([later.outcome, later.packet.fragment], ['ok', Fragment.later]);
      assert.deepEqual([later.packet.fragmentOffset, later.packet.moreFragments], [24, false]);
      assert.equal(later.packet.end - later.packet.fragmentData, 24);
      assert.equal(later.packet.sourcePort, 0);
    });
  }
});

/** Changes bytes of a finished packet. */
function bent(what: Craft, changes: Readonly<Record<number, number>>): Uint8Array {
  const bytes = craft(what);
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

describe('a packet object', () => {
  it('keeps no ports of the packet before', () => {
    const packet = new Packet();
    const read = (what: Craft): number[] => {
      const bytes = craft(what);
      assert.equal(parsePacket(packet, new DataView(bytes.buffer), 0, bytes.length), 0);
      return [packet.sourcePort, packet.destinationPort, packet.fragment];
    };
    assert.deepEqual(read({ ...v4, sourcePort: 5, destinationPort: 6 }), [5, 6, Fragment.none]);
    const later = { payload: 'x'.repeat(40), fragment: { id: 7, from: 16 } };
    assert.deepEqual(read({ ...v6, protocol: 'udp', ...later }), [0, 0, Fragment.later]);
    assert.deepEqual(read({ ...v6, sourcePort: 7, destinationPort: 8 }), [7, 8, Fragment.none]);
    assert.deepEqual(read({ ...v4, protocol: 'other', payload: 'x' }), [0, 0, Fragment.none]);
  });
});

/** IPv6, fragment header, and destination options whose length reaches behind the fragment's end. */
function firstWithHalfAChain(): Uint8Array {
  const bytes = craft({
    ...v6,
    extensions: [
      [44, [0, 1, 0, 0, 0, 1]],
      [60, pad],
    ],
  }).subarray(0, 56);
  bytes[5] = 16;
  bytes[49] = 5;
  return bytes;
}

describe('a packet that cannot be meant', () => {
  const rows: readonly [expected: (typeof parseOutcomes)[number], why: string, bytes: Uint8Array][] = [
    ['truncated', 'no byte at all', new Uint8Array(0)],
    ['bad-ip-version', 'version 5', bent(v4, { 0: 0x55 })],
    ['bad-ip-header', 'an IPv4 header of 16 bytes', bent(v4, { 0: 0x44 })],
    ['truncated', 'IPv4 options that are not there', bent(v4, { 0: 0x4f, 3: 60 })],
    ['bad-ip-length', 'shorter than its header', bent(v4, { 2: 0, 3: 19 })],
    ['truncated', 'longer than what came', bent(v4, { 3: 41 })],
    ['truncated', 'longer than what came, IPv6', bent(v6, { 5: 21 })],
    [
      'bad-address',
      'an IPv4-mapped source',
      craft({ source: '::ffff:102:304', destination: v6.destination }),
    ],
    [
      'bad-address',
      'an IPv4-mapped destination',
      craft({ source: v6.source, destination: '::ffff:102:304' }),
    ],
    ['source-routed', 'segments left', craft({ ...v6, extensions: [[43, [0, 1, 0, 0, 0, 0]]] })],
    [
      'bad-extension-header',
      'a chain that leaves the packet',
      bent({ ...v6, extensions: [[0, pad]] }, { 41: 200 }),
    ],
    [
      'bad-extension-header',
      'a chain cut off',
      bent({ ...v6, protocol: 'other', payload: 'abc' }, { 6: 60 }),
    ],
    ['too-many-extension-headers', 'nine', craft({ ...v6, extensions: new Array(9).fill([60, pad]) })],
    [
      'bad-fragment',
      'two fragment headers',
      craft({
        ...v6,
        extensions: [[44, [0, 1, 0, 0, 0, 1]]],
        fragment: { id: 1, from: 0, to: 16 },
        payload: 'x'.repeat(40),
      }),
    ],
    [
      'bad-fragment',
      'not a multiple of eight',
      craft({ ...v4, payload: 'x'.repeat(40), fragment: { id: 1, from: 0, to: 21 } }),
    ],
    [
      'bad-fragment',
      'not a multiple of eight, IPv6',
      craft({ ...v6, payload: 'x'.repeat(40), fragment: { id: 1, from: 0, to: 21 } }),
    ],
    [
      'bad-fragment',
      'past 64 KiB',
      bent({ ...v4, payload: 'x'.repeat(40), fragment: { id: 1, from: 24 } }, { 6: 0x1f, 7: 0xff }),
    ],
    ['bad-fragment', 'of nothing', craft({ ...v4, fragment: { id: 1, from: 16, to: 16 } })],
    [
      'tiny-fragment',
      'RFC 1858: a first one without the TCP flags',
      craft({ ...v4, fragment: { id: 1, from: 0, to: 8 } }),
    ],
    ['tiny-fragment', 'the same in IPv6', craft({ ...v6, fragment: { id: 1, from: 0, to: 8 } })],
    [
      'tiny-fragment',
      'a first one without all TCP options',
      craft({ ...v4, tcpOptions: new Array(12).fill(1), fragment: { id: 1, from: 0, to: 24 } }),
    ],
    ['tiny-fragment', 'RFC 3128: one at offset 8', craft({ ...v4, fragment: { id: 1, from: 8 } })],
    ['tiny-fragment', 'RFC 7112: a chain that goes on behind it', firstWithHalfAChain()],
    ['bad-tcp-header', 'a data offset of four', bent(v4, { 32: 0x40 })],
    ['bad-tcp-header', 'options that are not there', bent(v4, { 32: 0x60 })],
    [
      'bad-tcp-header',
      'half a header',
      bent({ ...v4, protocol: 'other', payload: 'x'.repeat(19) }, { 9: 6 }),
    ],
    [
      'bad-udp-header',
      'half a header',
      bent({ ...v6, protocol: 'other', payload: 'x'.repeat(7) }, { 6: 17 }),
    ],
    ['bad-udp-header', 'a length of seven', bent({ ...v4, protocol: 'udp' }, { 25: 7 })],
    ['bad-udp-header', 'a length past the end', bent({ ...v4, protocol: 'udp' }, { 25: 9 })],
    ['bad-icmp-header', 'half a header', bent({ ...v4, protocol: 'other', payload: 'x' }, { 9: 1 })],
  ];
  for (const [expected, why, bytes] of rows) {
    it(`is refused as ${expected}: ${why}`, () => {
      assert.equal(parse(bytes).outcome, expected);
    });
  }
});

describe('a quoted packet', () => {
  for (const ends of [v4, v6]) {
    it(`needs no more than eight bytes of its transport, from ${ends.source}`, () => {
      for (const protocol of ['tcp', 'udp'] as const) {
        const whole = craft({
          ...ends,
          protocol,
          sourcePort: 5,
          destinationPort: 6,
          payload: 'x'.repeat(500),
        });
        const header = ends === v4 ? 20 : 40;
        const { outcome, packet } = parse(whole.subarray(0, header + 8), true);
        assert.deepEqual([outcome, packet.sourcePort, packet.destinationPort], ['ok', 5, 6]);
        assert.equal(packet.end - 32, header + 8);
        assert.notEqual(parse(whole.subarray(0, header + 7), true).outcome, 'ok');
        assert.notEqual(parse(whole.subarray(0, header + 8)).outcome, 'ok', 'unless it is quoted');
      }
    });
  }
});

describe('any bytes at all', () => {
  const anyPacket = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc
      .tuple(
        fc.constantFrom<Craft>(v4, v6),
        fc.constantFrom('tcp', 'udp', 'icmp' as const),
        fc.nat(60),
        fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }),
      )
      .map(([ends, protocol, length, changes]) => {
        const bytes = craft({ ...ends, protocol: protocol as 'tcp', payload: 'x'.repeat(length) });
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes;
      }),
  );

  it('are taken apart without a glance at what stands around them', () => {
    fc.assert(
      fc.property(anyPacket, fc.boolean(), (bytes, quoted) => {
        const read = (poison: number): string => {
          const packet = new Packet();
          const view = poisoned(bytes, 64, poison);
          const outcome = (quoted ? parseQuoted : parsePacket)(packet, view, 64, 64 + bytes.length);
          if (outcome === 0) {
            assert.ok(
              packet.end <= 64 + bytes.length && packet.transport <= packet.end && packet.start === 64,
            );
          }
          return JSON.stringify({ outcome, packet });
        };
        assert.equal(read(0x00), read(0xff));
        assert.equal(read(0xff), read(0x45));
      }),
      { numRuns: 3000 },
    );
  });

  it('and no packet is taken for whole when its end is missing', () => {
    for (const ends of [v4, v6]) {
      const bytes = craft({ ...ends, protocol: 'udp', payload: 'hello' });
      for (let length = 0; length < bytes.length; length++) {
        assert.notEqual(parse(bytes.subarray(0, length)).outcome, 'ok', `${length} bytes`);
      }
    }
  });
});
