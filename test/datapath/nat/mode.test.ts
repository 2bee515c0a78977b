import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Circumstances } from '../../../lib/datapath/mode.ts';
import { NatMode } from '../../../lib/datapath/nat/mode.ts';
import type { NatVip } from '../../../lib/datapath/nat/settings.ts';
import type { VipBackend } from '../../../lib/datapath/settings.ts';
import { ForwardingTables } from '../../../lib/forward/tables.ts';

const idle: Circumstances = {
  refuse: false,
  firstQueue: 20_480,
  takenGeneration: Number.POSITIVE_INFINITY,
  vipInUse: () => false,
  endpointInUse: () => false,
  snatInUse: () => false,
};

function newMode(): NatMode {
  return new NatMode(
    {
      name: 'edge',
      hashSeed: '00000000000000000000000000000000',
      workers: 1,
      snatAddresses: ['10.0.0.1', 'fd00::1'],
      snatPorts: [61_000, 65_535],
    },
    { vips: 16, endpoints: 16 },
    () => assert.fail('the machine is asked'),
  );
}

function backend(name: string, change: Partial<VipBackend> = {}): VipBackend {
  return { name, address: `10.0.0.${name}`, port: 80, weight: 1, up: true, ...change };
}

function vip(backends: readonly VipBackend[], change: Partial<NatVip> = {}): NatVip {
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
function picked(published: ReturnType<NatMode['publish']>): string[] {
  return published.publication.choices.map(({ members }) => members.map(({ name }) => name).join(' '));
}

/** Addresses of the endpoints that are down. */
function down({ publication, endpoints }: ReturnType<NatMode['publish']>): string[] {
  return endpoints.all
    .filter(({ number }) => publication.tables.endpointDown[number] === 1)
    .map(({ value }) => value.text);
}

describe('a generation of tables', () => {
  it('can be read by the packet path', () => {
    const { publication } = newMode().publish([vip([backend('2')])], idle);
    const tables = new ForwardingTables(structuredClone(publication).tables);
    assert.deepEqual([...tables.snatsFor(1, 1)], [1]);
    assert.equal(tables.endpointPort[1], 80);
  });

  it('shares memory, not copies, for health and Maglev tables', () => {
    const { publication } = newMode().publish([vip([backend('2')])], idle);
    assert.ok(publication.tables.endpointDown.buffer instanceof SharedArrayBuffer);
    assert.ok(publication.choices[0]!.table!.buffer instanceof SharedArrayBuffer);
  });

  it('builds no table anew whose members are the same', () => {
    const one = newMode();
    const vips = [vip([backend('2'), backend('3')]), vip([backend('2'), backend('3')], { port: 81 })];
    const before = one.publish(vips, idle).publication.choices;
    const after = one.publish(vips, idle).publication.choices;
    assert.equal(before[0]!.table, before[1]!.table);
    assert.equal(before[0]!.table, after[0]!.table);
  });

  it('gives a backend of two services one number, but one for each protocol', () => {
    const { publication } = newMode().publish(
      [vip([backend('2')]), vip([backend('2')], { port: 81 }), vip([backend('2')], { protocol: 'udp' })],
      idle,
    );
    assert.deepEqual(
      publication.choices.map(({ members }) => members.map(({ endpoint }) => endpoint)),
      [[1], [1], [2]],
    );
  });

  it('leaves out backends of the other family', () => {
    const mixed = [backend('2'), backend('3', { address: 'fd00::3' })];
    const published = newMode().publish([vip(mixed), vip(mixed, { address: '2001:db8::1' })], idle);
    assert.deepEqual(picked(published), ['2', '3']);
  });

  it('offers new flows to backends that are up and have a weight', () => {
    const backends = [backend('2', { up: false }), backend('3', { weight: 0 }), backend('4')];
    const published = newMode().publish([vip(backends)], idle);
    assert.deepEqual(picked(published), ['4']);
    assert.deepEqual(down(published), ['10.0.0.2:80'], 'who drains is not down');
  });

  it('calls a backend down only when it is so for every service', () => {
    const vips = [vip([backend('2', { up: false })]), vip([backend('2')], { port: 81 })];
    assert.deepEqual(down(newMode().publish(vips, idle)), []);
  });

  it('offers nothing to anybody when it is to refuse, and calls nobody down for it', () => {
    const published = newMode().publish([vip([backend('2')])], { ...idle, refuse: true });
    assert.deepEqual(
      published.publication.choices.map(({ refuse }) => refuse),
      [true],
    );
    assert.deepEqual(down(published), []);
  });

  it('keeps a backend that is gone as it was while it has flows', () => {
    const one = newMode();
    one.publish([vip([backend('2'), backend('3')])], idle);
    const busy = { ...idle, endpointInUse: () => true };
    const published = one.publish([vip([backend('3')])], busy);
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
