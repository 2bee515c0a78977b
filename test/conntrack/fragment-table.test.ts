import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FragmentDecision, FragmentFit, FragmentTable } from '../../lib/conntrack/fragment-table.ts';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';
import type { Packet } from '../../lib/packet/packet.ts';
import type { Craft } from '../packet/craft.ts';
import { parsed } from './flows.ts';

const payload = new Uint8Array(2_000);
const lifeMs = 200;

function fragment(from: number, to: number, changes: Partial<Craft> = {}, id = 7): Packet {
  const ends = { source: '198.51.100.7', destination: '1.2.3.4' };
  return parsed({ ...ends, protocol: 'udp', payload, fragment: { id, from, to }, ...changes }).packet;
}

function makeTable(datagrams = 8): FragmentTable {
  return new FragmentTable(datagrams, new TupleHash({ low: 1, high: 2 }), lifeMs);
}

function enter(table: FragmentTable, packet: Packet, nowMs: number): number {
  const known = table.find(packet, nowMs);
  if (known >= 0) return known;
  const entry = table.victim(packet);
  table.open(entry, packet, nowMs);
  return entry;
}

describe('a table of datagrams in fragments', () => {
  it('knows a datagram by source, destination, protocol and identification', () => {
    const table = makeTable();
    const entry = enter(table, fragment(0, 800), 0);
    assert.equal(table.find(fragment(800, 1_600), 1), entry);
    const others: Partial<Craft>[] = [
      { source: '198.51.100.8' },
      { destination: '1.2.3.5' },
      { protocol: 'icmp' },
    ];
    for (const other of others) assert.equal(table.find(fragment(800, 1_600, other), 1), -1);
    assert.equal(table.find(fragment(800, 1_600, {}, 8), 1), -1);
  });

  it('leaves the protocol out for IPv6', () => {
    const v6 = { source: '2001:db8::7', destination: '2001:db8::4' };
    const table = makeTable();
    const entry = enter(table, fragment(0, 800, v6, 0x12345678), 0);
    assert.equal(table.find(fragment(800, 1_600, { ...v6, protocol: 'other' }, 0x12345678), 0), entry);
    assert.equal(table.find(fragment(800, 1_600, v6, 0x00005678), 0), -1);
  });

  it('forgets a datagram after its life of silence', () => {
    const table = makeTable();
    const entry = enter(table, fragment(0, 800), 0);
    assert.equal(table.find(fragment(800, 1_600), lifeMs), entry);
    assert.equal(table.find(fragment(800, 1_600), 2 * lifeMs), entry, 'every fragment prolongs it');
    assert.equal(table.find(fragment(800, 1_600), 3 * lifeMs + 1), -1);
  });

  it('gives up the datagram that was silent longest when a set is full', () => {
    const table = makeTable(8);
    for (let id = 0; id < 8; id++) enter(table, fragment(0, 800, {}, id), id);
    table.find(fragment(0, 800, {}, 0), 9);
    enter(table, fragment(0, 800, {}, 99), 10);
    const known = Array.from({ length: 8 }, (_, id) => table.find(fragment(0, 800, {}, id), 11) >= 0);
    assert.deepEqual(known, [true, false, true, true, true, true, true, true]);
  });

  it('remembers what was decided', () => {
    const table = makeTable();
    const first = fragment(0, 800);
    const entry = enter(table, first, 0);
    assert.equal(table.decisionOf(entry), FragmentDecision.unknown);
    const words = Int32Array.from({ length: 8 }, (_, index) => index);
    table.decide(entry, FragmentDecision.repeat, words);
    assert.equal(table.decisionOf(entry), FragmentDecision.repeat);
    assert.deepEqual(table.kept.subarray(entry * 8, entry * 8 + 8), words);
    table.open(entry, first, 1);
    assert.equal(table.decisionOf(entry), FragmentDecision.unknown);
  });

  it('tells a duplicate from an overlap (RFC 5722, RFC 8200 §4.5)', () => {
    const table = makeTable();
    const entry = enter(table, fragment(0, 800), 0);
    const fits = [
      [0, 800],
      [1_600, 1_800],
      [800, 1_600],
      [800, 1_600],
      [792, 808],
      [8, 16],
      [0, 1_800],
    ];
    assert.deepEqual(
      fits.map(([from, to]) => table.add(entry, fragment(from!, to!))),
      [0, 0, 0, 1, 2, 2, 2],
    );
  });

  it('takes no more than 128 fragments of a datagram', () => {
    const table = makeTable();
    const entry = enter(table, fragment(0, 8), 0);
    for (let index = 0; index < 128; index++) {
      assert.equal(table.add(entry, fragment(index * 8, index * 8 + 8)), FragmentFit.fresh);
    }
    assert.equal(table.add(entry, fragment(1_600, 1_608)), FragmentFit.tooMany);
    assert.equal(table.add(entry, fragment(80, 88)), FragmentFit.duplicate);
  });

  it('agrees with a naive set of bytes over what overlaps', () => {
    const range = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
        const table = makeTable();
        const entry = enter(table, fragment(0, 8), 0);
        const seen = new Set<number>();
        const whole = new Set<string>();
        for (const [first, length] of ranges) {
          const units = Array.from({ length }, (_, index) => first + index);
          const fit = table.add(entry, fragment(first * 8, (first + length) * 8));
          const key = `${first} ${length}`;
          if (whole.has(key)) assert.equal(fit, FragmentFit.duplicate);
          else
            assert.equal(fit, units.some((unit) => seen.has(unit)) ? FragmentFit.overlap : FragmentFit.fresh);
          if (fit !== FragmentFit.fresh) continue;
          whole.add(key);
          for (const unit of units) seen.add(unit);
        }
      }),
    );
  });
});
