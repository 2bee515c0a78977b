import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decapsulate,
  type TunnelPacket as Found,
  innerOfQuoted,
  TunnelPacket,
  tunnelOutcomes,
} from '../../lib/packet/decapsulate.ts';
import { headroom } from '../../lib/packet/encapsulate.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parseQuoted } from '../../lib/packet/parse.ts';
import { type Craft, craft, see } from './craft.ts';
import { greWrap, type Outer, outerHeader, wrap } from './tunnels.ts';

const inside: readonly Craft[] = [
  { source: '198.51.100.7', destination: '1.2.3.4' },
  { source: '2001:db8::7', destination: '2001:db8:1::4' },
];
const outside: readonly Outer[] = [
  { source: '10.0.1.2', destination: '10.0.2.11', protocol: 47 },
  { source: 'fd00:1::2', destination: 'fd00:2::11', protocol: 47 },
];
const margin = 32;

interface Taken {
  readonly outcome: string;
  readonly found: Found;
  /** What was inside, if anything was. */
  readonly inner: Uint8Array;
}

/** Takes a packet apart that stands between bytes of poison. */
function take(bytes: Uint8Array, poison = 0xff): Taken {
  const all = new Uint8Array(bytes.length + 2 * margin).fill(poison);
  all.set(bytes, margin);
  const found = new TunnelPacket();
  const outcome = decapsulate(found, new DataView(all.buffer), margin, margin + bytes.length);
  const around = [...all.subarray(0, margin), ...all.subarray(margin + bytes.length)];
  assert.ok(
    around.every((byte) => byte === poison),
    'bytes around the packet are untouched',
  );
  return {
    outcome: tunnelOutcomes[outcome]!,
    found,
    inner: outcome === 0 ? all.slice(found.innerStart, found.innerEnd) : new Uint8Array(0),
  };
}

for (const what of inside) {
  for (const outer of outside) {
    const version = what.source.includes(':') ? 6 : 4;
    const ipip = { ...outer, protocol: version === 6 ? 41 : 4 };
    describe(`a tunnel from ${outer.source} with ${what.source} inside`, () => {
      const inner = craft({ ...what, payload: 'odd' });

      it('is left by GRE', () => {
        const taken = take(wrap(outer, greWrap(inner)));
        assert.deepEqual([taken.outcome, taken.found.innerVersion], ['ok', version]);
        assert.deepEqual(taken.inner, inner);
      });

      it('is left by IP in IP', () => {
        const taken = take(wrap(ipip, inner));
        assert.deepEqual([taken.outcome, taken.found.innerVersion], ['ok', version]);
        assert.deepEqual(taken.inner, inner);
      });

      it('may have a checksum, a key, a sequence number and bits that are to be ignored', () => {
        for (const checksum of [false, true]) {
          for (const key of [undefined, 0xdeadbeef]) {
            for (const sequence of [undefined, 7]) {
              const fields = {
                checksum,
                flags: 0x03f8,
                ...(key === undefined ? {} : { key }),
                ...(sequence === undefined ? {} : { sequence }),
              };
              const taken = take(wrap(outer, greWrap(inner, fields)));
              assert.equal(taken.outcome, 'ok', JSON.stringify(fields));
              assert.deepEqual(taken.inner, inner);
            }
          }
        }
      });

      it('is not left with a wrong checksum', () => {
        const bytes = wrap(outer, greWrap(inner, { checksum: true }));
        bytes[bytes.length - 1]! ^= 1;
        assert.equal(take(bytes).outcome, 'bad-gre-checksum');
      });

      it('is not left by a GRE header that RFC 2784 has us discard', () => {
        for (const flags of [0x4000, 0x0800, 0x0400, 1, 2, 4]) {
          const taken = take(wrap(outer, greWrap(inner, { flags })));
          assert.equal(taken.outcome, 'bad-gre-header', flags.toString(16));
        }
      });

      it('is not left by a GRE header that is cut off', () => {
        const whole = greWrap(inner, { checksum: true, key: 1, sequence: 2 });
        for (let length = 0; length < 16; length++) {
          assert.equal(take(wrap(outer, whole.subarray(0, length))).outcome, 'bad-gre-header');
        }
      });

      it('is not left by what is no IP packet', () => {
        const ethernet = take(wrap(outer, greWrap(inner, { protocol: 0x6558 })));
        assert.equal(ethernet.outcome, 'unknown-gre-payload');
        const other = take(wrap(outer, greWrap(inner, { protocol: version === 6 ? 0x0800 : 0x86dd })));
        assert.equal(other.outcome, 'bad-inner-header');
        for (const length of [0, 1, inner.length - 1]) {
          const cut = take(
            wrap(outer, greWrap(inner.subarray(0, length), { protocol: version === 6 ? 0x86dd : 0x0800 })),
          );
          assert.equal(cut.outcome, 'bad-inner-header', `${length} bytes`);
        }
      });

      it('ends where the inner packet does, whatever follows', () => {
        const padded = Uint8Array.from([...inner, 0, 0, 0]);
        assert.deepEqual(take(wrap(outer, greWrap(padded))).inner, inner);
      });

      it('tells of congestion as RFC 6040 says', () => {
        // By inner codepoint, then by outer one: 0 not-ECT, 1 ECT(1), 2 ECT(0), 3 CE.
        const expected = [
          [0, 0, 0, undefined],
          [1, 1, 1, 3],
          [2, 1, 2, 3],
          [3, 3, 3, 3],
        ];
        for (const [before, row] of expected.entries()) {
          for (const [met, after] of row.entries()) {
            const packet = craft({ ...what, payload: 'x', trafficClass: 0xb8 | before });
            const taken = take(wrap({ ...outer, trafficClass: 0x48 | met }, greWrap(packet)));
            if (after === undefined) {
              assert.equal(taken.outcome, 'congestion-unheard');
              continue;
            }
            assert.equal(taken.outcome, 'ok');
            assert.deepEqual(taken.inner, craft({ ...what, payload: 'x', trafficClass: 0xb8 | after }));
            assert.deepEqual(see(taken.inner).wrong, []);
          }
        }
      });
    });
  }
}

describe('an outer packet', () => {
  const [inner, outer] = [craft(inside[0]!), outside[0]!];

  it('of another protocol is no tunnel', () => {
    assert.equal(take(wrap({ ...outer, protocol: 132 }, inner)).outcome, 'no-tunnel');
    assert.equal(take(craft({ ...inside[0]! })).outcome, 'no-tunnel');
  });

  it('that was cut up has to be put together by somebody else', () => {
    for (const fragment of [0x2000, 0x0010]) {
      const bytes = wrap({ ...outer, fragment }, Uint8Array.from([...greWrap(inner), 0, 0, 0, 0]));
      assert.equal(take(bytes).outcome, 'tunnel-fragment');
    }
  });

  it('may have the extension header that Linux puts before the tunnel (RFC 2473 §4.1.1)', () => {
    const limit = [47, 0, 4, 1, 4, 1, 0, 0];
    const bytes = wrap({ ...outside[1]!, extensions: limit, nextHeader: 60 }, greWrap(inner));
    assert.deepEqual(take(bytes).inner, inner);
  });

  it('is refused for what is wrong with itself', () => {
    assert.equal(take(wrap(outer, greWrap(inner)).subarray(0, 30)).outcome, 'truncated');
    assert.equal(take(Uint8Array.of()).outcome, 'truncated');
  });
});

describe('an inner IPv4 header', () => {
  it('has to have a right checksum, which nobody looks at again', () => {
    const inner = craft(inside[0]!);
    inner[8]! ^= 1;
    assert.equal(take(wrap(outside[0]!, greWrap(inner))).outcome, 'bad-inner-header');
  });

  it('has to be as long as it says', () => {
    for (const [at, value] of [
      [0, 0x44],
      [2, 0],
      [3, 10],
    ] as const) {
      const inner = craft(inside[0]!);
      inner[at] = value;
      if (at === 2) inner[3] = 0;
      assert.equal(take(wrap(outside[0]!, greWrap(inner))).outcome, 'bad-inner-header');
    }
  });
});

describe('encapsulating and decapsulating', () => {
  it('is the identity for any packet', () => {
    const anyPacket = fc
      .record({
        what: fc.constantFrom(...inside),
        protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const, 'other' as const),
        payload: fc.uint8Array({ maxLength: 200 }),
        ttl: fc.nat(255),
        trafficClass: fc.nat(255),
        dontFragment: fc.boolean(),
        from: fc.option(fc.nat(10), { nil: undefined }),
      })
      .map(({ what, from, ...rest }) =>
        craft({ ...what, ...rest, ...(from === undefined ? {} : { fragment: { id: 5, from: from * 8 } }) }),
      );
    fc.assert(
      fc.property(
        anyPacket,
        fc.constantFrom(...outside),
        fc.constantFrom(1, 2),
        fc.integer(),
        (inner, ends, encapsulation, flowLabel) => {
          const header = outerHeader(encapsulation, ends);
          header.flowLabel = flowLabel;
          const all = new Uint8Array(headroom + inner.length);
          all.set(inner, headroom);
          const start = header.write(new DataView(all.buffer), headroom, inner.length);
          const taken = take(all.slice(start));
          assert.equal(taken.outcome, 'ok');
          assert.deepEqual(taken.inner, inner);
        },
      ),
    );
  });
});

describe('any bytes at all', () => {
  const scrambled = fc
    .tuple(
      fc.constantFrom(...inside),
      fc.constantFrom(...outside),
      fc.constantFrom(47, 4, 41),
      fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 4 }),
      fc.boolean(),
    )
    .map(([what, outer, protocol, changes, checksum]) => {
      const inner = craft(what);
      const bytes = wrap(
        { ...outer, protocol },
        protocol === 47 ? greWrap(inner, { checksum, key: 1 }) : inner,
      );
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });

  it('throw nothing, and what is found inside lies inside', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), scrambled, scrambled), (bytes) => {
        const [one, two] = [take(bytes, 0xff), take(bytes, 0x00)];
        assert.equal(one.outcome, two.outcome, 'nothing around the packet was read');
        if (one.outcome !== 'ok') return;
        const { innerStart, innerEnd } = one.found;
        assert.ok(margin < innerStart && innerStart < innerEnd && innerEnd <= margin + bytes.length);
        assert.deepEqual(one.inner, two.inner);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a tunnel packet that an ICMP error quotes', () => {
  function innerOf(bytes: Uint8Array): number {
    const packet = new Packet();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    assert.equal(parseQuoted(packet, view, 0, bytes.length), 0);
    return innerOfQuoted(view, packet);
  }

  for (const outer of outside) {
    const header = outer.source.includes(':') ? 40 : 20;

    it(`has its inner packet found, from ${outer.source}`, () => {
      const inner = craft(inside[0]!);
      assert.equal(innerOf(wrap(outer, greWrap(inner))), header + 4);
      assert.equal(innerOf(wrap(outer, greWrap(inner)).subarray(0, header + 8)), header + 4);
      assert.equal(innerOf(wrap({ ...outer, protocol: 4 }, inner)), header);
      assert.equal(innerOf(wrap({ ...outer, protocol: 41 }, craft(inside[1]!))), header);
    });

    it(`is none of ours with what we never send, from ${outer.source}`, () => {
      const inner = craft(inside[0]!);
      assert.equal(innerOf(wrap(outer, greWrap(inner, { key: 1 }))), -1);
      assert.equal(innerOf(wrap(outer, greWrap(inner, { protocol: 0x6558 }))), -1);
      assert.equal(innerOf(wrap(outer, greWrap(inner)).subarray(0, header + 3)), -1);
      assert.equal(innerOf(wrap({ ...outer, protocol: 132 }, inner)), -1);
    });
  }

  it('is none of ours if it is a later fragment', () => {
    assert.equal(innerOf(wrap({ ...outside[0]!, fragment: 0x0010 }, craft(inside[0]!))), -1);
  });
});
