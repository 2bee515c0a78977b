/**
 * Packet in, state → packet out, verdict, reason. Every row runs for IPv4 and IPv6, and every packet that is sent
 * on must have right checksums, computed from scratch.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { craft, type Seen, see } from '../packet/craft.ts';
import { Balancer, defaultSpec, type Family, families } from './balancer.ts';
import { backends } from './rows/backends.ts';
import { echo } from './rows/echo.ts';
import { flows } from './rows/flows.ts';
import { refusals } from './rows/refusals.ts';

const rows = [...flows, ...refusals, ...backends, ...echo];

/** Addresses come out in full; texts of the table in short. */
function normal(seen: Partial<Seen>, family: Family): Partial<Seen> {
  const { source, destination } = seen;
  const text = (address: string): string => see(craft({ source: address, destination: family.vip })).source;
  return {
    ...seen,
    ...(source === undefined ? {} : { source: text(source) }),
    ...(destination === undefined ? {} : { destination: text(destination) }),
  };
}

for (const family of families) {
  describe(`NAT over IPv${family.version}`, () => {
    for (const row of rows) {
      it(`${row.name}: ${row.reason}`, () => {
        const balancer = new Balancer({
          ...row.options,
          spec: { ...(row.options?.spec ?? defaultSpec()), endpointDown: new Uint8Array(8) },
        });
        for (const packet of row.before?.(family) ?? []) {
          assert.equal(balancer.send(packet).reason, 'forwarded');
        }
        row.meanwhile?.(balancer, family);
        const packet = row.packet(family);
        const sent = balancer.send(packet, row.flags);
        assert.deepEqual([sent.reason, sent.verdict, sent.complete], [row.reason, row.verdict, false]);
        if (row.out === undefined) {
          assert.deepEqual(sent.bytes, packet, 'untouched');
          return;
        }
        const seen = see(sent.bytes);
        assert.deepEqual(seen.wrong, []);
        const expected = normal(row.out(family), family);
        const actual = Object.fromEntries(Object.keys(expected).map((key) => [key, seen[key as keyof Seen]]));
        assert.deepEqual(actual, expected);
      });
    }
  });
}

it('the table has rows, and each a name of its own', () => {
  assert.ok(rows.length > 50);
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
});
