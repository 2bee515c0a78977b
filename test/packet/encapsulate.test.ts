import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Encapsulation, headroom, type OuterHeader, overheadOf } from '../../lib/packet/encapsulate.ts';
import { type Craft, craft } from './craft.ts';
import { outerHeader, seeTunnel } from './tunnels.ts';

const inside = [
  { name: 'IPv4', source: '198.51.100.7', destination: '1.2.3.4' },
  { name: 'IPv6', source: '2001:db8::7', destination: '2001:db8:1::4' },
] as const;
const outside = [
  { name: 'IPv4', version: 4, source: '10.0.1.2', destination: '10.0.2.11' },
  { name: 'IPv6', version: 6, source: 'fd00:1::2', destination: 'fd00:2::11' },
] as const;

/** The tunnel packet around `inner`; what stands before the headroom and behind the packet must stay as it is. */
function written(header: OuterHeader, inner: Uint8Array): Uint8Array {
  const margin = 16;
  const all = new Uint8Array(margin + headroom + inner.length + margin).fill(0xff);
  all.set(inner, margin + headroom);
  const start = header.write(new DataView(all.buffer), margin + headroom, inner.length);
  const end = margin + headroom + inner.length;
  assert.ok(
    all.subarray(0, start).every((byte) => byte === 0xff),
    'nothing before the header',
  );
  assert.ok(
    all.subarray(end).every((byte) => byte === 0xff),
    'nothing behind the packet',
  );
  return all.slice(start, end);
}

for (const [name, encapsulation] of [
  ['gre', Encapsulation.gre],
  ['ipip', Encapsulation.ipip],
] as const) {
  for (const inner of inside) {
    for (const ends of outside) {
      describe(`${name}: ${inner.name} in ${ends.name}`, () => {
        const packet = (what: Partial<Craft> = {}): Uint8Array =>
          craft({ source: inner.source, destination: inner.destination, payload: 'as it was', ...what });

        it('has the outer header alone in front of the packet', () => {
          const bytes = packet({ ttl: 3 });
          const seen = seeTunnel(written(outerHeader(encapsulation, ends), bytes));
          const { source, destination } = ends;
          assert.deepEqual(
            [seen.encapsulation, seen.source, seen.destination, seen.ttl],
            [name, source, destination, 64],
          );
          assert.deepEqual(seen.inner, bytes);
        });

        it('is as much longer as `overheadOf` says, and fits into the headroom', () => {
          const bytes = packet();
          const overhead = overheadOf(encapsulation, ends.version);
          assert.equal(written(outerHeader(encapsulation, ends), bytes).length - bytes.length, overhead);
          assert.ok(overhead <= headroom);
        });

        it('shows DSCP and ECN outside as they are inside', () => {
          for (const trafficClass of [0, 0xb9, 0x02, 0xff]) {
            const seen = seeTunnel(written(outerHeader(encapsulation, ends), packet({ trafficClass })));
            assert.equal(seen.trafficClass, trafficClass);
          }
        });
      });
    }
  }
}

describe('an outer IPv4 header', () => {
  const [v4, v6] = inside;
  const [ends] = outside;

  it('forbids fragments where the inner one does, and then needs no identification', () => {
    const seen = seeTunnel(written(outerHeader(1, ends), craft({ ...v4, dontFragment: true })));
    assert.deepEqual([seen.dontFragment, seen.identification], [true, 0]);
  });

  it('has another identification for each packet that may be fragmented, and goes round', () => {
    const header = outerHeader(1, ends, 0xfffe);
    const all = [0, 1, 2].map(() => seeTunnel(written(header, craft(v4))));
    assert.deepEqual(
      all.map(({ dontFragment, identification }) => [dontFragment, identification]),
      [
        [false, 0xfffe],
        [false, 0xffff],
        [false, 0],
      ],
    );
  });

  it('around IPv6 allows them up to the 1280 bytes that every path has to carry, and not beyond', () => {
    const ofLength = (length: number) => craft({ ...v6, payload: new Uint8Array(length - 60) });
    const forbids = (length: number) =>
      seeTunnel(written(outerHeader(1, ends), ofLength(length))).dontFragment;
    assert.deepEqual([forbids(1280), forbids(1281)], [false, true]);
  });
});

describe('the source of an outer header', () => {
  it('may differ by its last word', () => {
    for (const [ends, expected] of [
      [outside[0], '10.0.1.7'],
      [outside[1], 'fd00:1::7'],
    ] as const) {
      const header = outerHeader(1, ends);
      header.sourceVariation = 5;
      const { source, destination } = seeTunnel(written(header, craft(inside[0])));
      assert.deepEqual([source, destination], [expected, ends.destination]);
    }
  });
});

describe('an outer IPv6 header', () => {
  it('carries twenty bits of flow label', () => {
    const header = outerHeader(1, outside[1]);
    header.flowLabel = 0x7fabcdef;
    assert.equal(seeTunnel(written(header, craft(inside[0]))).flowLabel, 0xbcdef);
  });
});

it('a packet that stays on its link gets no header', () => {
  assert.deepEqual([overheadOf(Encapsulation.l2, 4), overheadOf(Encapsulation.l2, 6)], [0, 0]);
});
