import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Publisher, type Usage } from '../../lib/datapath/publisher.ts';
import type { NatBackend, NatVip } from '../../lib/datapath/settings.ts';
import { ForwardingTables } from '../../lib/forward/tables.ts';

const idle: Usage = {
  takenGeneration: Number.POSITIVE_INFINITY,
  vipInUse: () => false,
  endpointInUse: () => false,
  snatInUse: () => false,
};
const snatsFor = (backend: string): readonly string[] => (backend.includes(':') ? ['fd00::1'] : ['10.0.0.1']);

function publisher(): Publisher {
  return new Publisher({
    limits: { vips: 16, endpoints: 16, snats: 16 },
    hashSeed: '00000000000000000000000000000000',
    snatPorts: [61_000, 65_535],
  });
}

function backend(name: string, change: Partial<NatBackend> = {}): NatBackend {
  return { name, address: `10.0.0.${name}`, port: 80, weight: 1, up: true, ...change };
}

function vip(backends: readonly NatBackend[], change: Partial<NatVip> = {}): NatVip {
  return {
    service: 'web',
    protocol: 'tcp',
    address: '192.0.2.1',
    port: 80,
    balance: 'maglev',
    snat: true,
    whenDown: 'reset',
    whenAllDown: 'reject',
    backends,
    ...change,
  };
}

/** Names of the backends that take new flows of each VIP. */
function picked(published: ReturnType<Publisher['publish']>): string[] {
  return published.publication.choices.map(({ members }) => members.map(({ name }) => name).join(' '));
}

/** Addresses of the endpoints that are down. */
function down({ publication, endpoints }: ReturnType<Publisher['publish']>): string[] {
  return endpoints.all
    .filter(({ number }) => publication.tables.endpointDown[number] === 1)
    .map(({ value }) => value.address);
}

describe('a generation of tables', () => {
  it('can be read by the packet path', () => {
    const { publication } = publisher().publish([vip([backend('2')])], snatsFor, idle);
    const tables = new ForwardingTables(structuredClone(publication).tables);
    assert.deepEqual([...tables.snatsFor(1, 1)], [1]);
    assert.equal(tables.endpointPort[1], 80);
  });

  it('shares memory, not copies, for health and Maglev tables', () => {
    const { publication } = publisher().publish([vip([backend('2')])], snatsFor, idle);
    assert.ok(publication.tables.endpointDown.buffer instanceof SharedArrayBuffer);
    assert.ok(publication.choices[0]!.table!.buffer instanceof SharedArrayBuffer);
  });

  it('builds no table anew whose members are the same', () => {
    const one = publisher();
    const vips = [vip([backend('2'), backend('3')]), vip([backend('2'), backend('3')], { port: 81 })];
    const before = one.publish(vips, snatsFor, idle).publication.choices;
    const after = one.publish(vips, snatsFor, idle).publication.choices;
    assert.equal(before[0]!.table, before[1]!.table);
    assert.equal(before[0]!.table, after[0]!.table);
  });

  it('gives a backend of two services one number, but one for each protocol', () => {
    const { endpoints } = publisher().publish(
      [vip([backend('2')]), vip([backend('2')], { port: 81 }), vip([backend('2')], { protocol: 'udp' })],
      snatsFor,
      idle,
    );
    assert.deepEqual(
      endpoints.all.map(({ value: { protocol } }) => protocol),
      ['tcp', 'udp'],
    );
  });

  it('leaves out backends of the other family', () => {
    const mixed = [backend('2'), backend('3', { address: 'fd00::3' })];
    const published = publisher().publish(
      [vip(mixed), vip(mixed, { address: '2001:db8::1' })],
      snatsFor,
      idle,
    );
    assert.deepEqual(picked(published), ['2', '3']);
  });

  it('offers new flows to backends that are up and have a weight', () => {
    const backends = [backend('2', { up: false }), backend('3', { weight: 0 }), backend('4')];
    const published = publisher().publish([vip(backends)], snatsFor, idle);
    assert.deepEqual(picked(published), ['4']);
    assert.deepEqual(down(published), ['10.0.0.2'], 'who drains is not down');
  });

  it('calls a backend down only when it is so for every service', () => {
    const vips = [vip([backend('2', { up: false })]), vip([backend('2')], { port: 81 })];
    assert.deepEqual(down(publisher().publish(vips, snatsFor, idle)), []);
  });

  it('falls back to those that were up last, and does not call them down', () => {
    const one = publisher();
    const all = (...up: boolean[]): readonly NatVip[] => [
      vip(
        up.map((each, index) => backend(String(index + 2), { up: each })),
        { whenAllDown: 'last-known' },
      ),
    ];
    one.publish(all(true, true, false), snatsFor, idle);
    const published = one.publish(all(false, false, false), snatsFor, idle);
    assert.deepEqual(picked(published), ['2 3']);
    assert.deepEqual(down(published), ['10.0.0.4']);
  });

  it('offers nothing to anybody when it is to refuse, and calls nobody down for it', () => {
    const published = publisher().publish([vip([backend('2')])], snatsFor, idle, true);
    assert.deepEqual(picked(published), ['']);
    assert.deepEqual(down(published), []);
  });

  it('keeps a backend that is gone as it was while it has flows', () => {
    const one = publisher();
    one.publish([vip([backend('2'), backend('3')])], snatsFor, idle);
    const busy = { ...idle, endpointInUse: () => true };
    const published = one.publish([vip([backend('3')])], snatsFor, busy);
    assert.deepEqual(
      published.publication.tables.endpoints.map(({ number, address, retired }) => [
        number,
        address,
        retired,
      ]),
      [
        [2, '10.0.0.3', false],
        [1, '10.0.0.2', true],
      ],
    );
    assert.deepEqual(down(published), []);
  });
});
