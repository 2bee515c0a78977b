/**
 * Packet in, state → packet out, verdict, reason, with direct server return. Every row runs for IPv4 and IPv6 inside
 * and outside, in all four combinations. A packet that is sent to a backend is the one that came, to the byte but for
 * its time to live, in an outer packet that is right to the bit.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { craft, type Seen, see } from '../packet/craft.ts';
import { seeTunnel } from '../packet/tunnels.ts';
import { type Family, families } from './balancer.ts';
import { DsrBalancer, dsrSpec, type Outside, outsides } from './dsr-balancer.ts';
import { backends } from './dsr-rows/backends.ts';
import { flows } from './dsr-rows/flows.ts';
import { hops } from './dsr-rows/hops.ts';
import { choose, oneHopOn, type Row } from './dsr-rows/row.ts';
import type { Sent } from './packet-path.ts';

const rows = [...flows, ...backends, ...hops];

/** Addresses come out in full; texts of the table in short. */
function normal(seen: Partial<Seen>, family: Family): Partial<Seen> {
  const text = (address: string): string => see(craft({ source: address, destination: family.vip })).source;
  return Object.fromEntries(
    Object.entries(seen).map(([key, value]) => [
      key,
      key === 'source' || key === 'destination' ? text(value as string) : value,
    ]),
  );
}

/** What was sent in the tunnel: in place of the packet if the families agree, else apart. */
function tunnelPacket(balancer: DsrBalancer, sent: Sent, inner: number, outer: number): Uint8Array {
  const apart = balancer.sentApart();
  if (inner === outer) {
    assert.deepEqual([sent.reason, sent.verdict, apart.length], ['forwarded', 0x11, 0]);
    return sent.bytes;
  }
  assert.deepEqual([sent.reason, sent.verdict, apart.length], ['sent-apart', 0, 1]);
  return apart[0]!;
}

function check(row: Row, family: Family, outside: Outside): void {
  const { pick = 'first', place = pick } = row;
  const spec = { ...(row.options?.spec ?? dsrSpec()), endpointDown: new Uint8Array(8) };
  const balancer = new DsrBalancer({ ...row.options, spec });
  choose(balancer, outside, pick, place);
  for (const packet of row.before?.(family) ?? []) {
    assert.ok(['forwarded', 'sent-apart'].includes(balancer.send(packet).reason));
  }
  balancer.sentApart();
  row.meanwhile?.(balancer, outside, family);
  const packet = row.packet(family, outside);
  const sent = balancer.send(packet, row.flags);
  assert.equal(sent.complete, false);
  if (row.to !== undefined) {
    const seen = seeTunnel(tunnelPacket(balancer, sent, family.version, outside.version));
    const destination = row.to === 'first' ? outside.backend : outside.other;
    assert.deepEqual(
      [seen.encapsulation, seen.source, seen.destination, seen.ttl],
      ['gre', outside.source, destination, 64],
    );
    assert.deepEqual(seen.inner, oneHopOn(packet));
    return;
  }
  assert.deepEqual([sent.reason, sent.verdict], [row.reason, row.verdict]);
  assert.deepEqual(balancer.sentApart(), []);
  if (row.out === undefined) {
    assert.deepEqual(sent.bytes, packet, 'untouched');
    return;
  }
  const seen = see(sent.bytes);
  assert.deepEqual(seen.wrong, []);
  const expected = normal(row.out(family), family);
  assert.deepEqual(
    Object.fromEntries(Object.keys(expected).map((key) => [key, seen[key as keyof Seen]])),
    expected,
  );
}

for (const family of families) {
  for (const outside of outsides) {
    describe(`direct server return, IPv${family.version} in IPv${outside.version}`, () => {
      for (const row of rows) {
        const what = row.to === undefined ? row.reason : `to the ${row.to} backend`;
        it(`${row.name}: ${what}`, () => check(row, family, outside));
      }
    });
  }
}

it('the table has rows, and each a name of its own', () => {
  assert.ok(rows.length > 55, `${rows.length}`);
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
});
