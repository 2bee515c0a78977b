import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DsrMode } from '../../../lib/datapath/dsr/mode.ts';
import type { DsrVip } from '../../../lib/datapath/dsr/settings.ts';
import type { Run } from '../../../lib/datapath/kernel/command.ts';
import type { Circumstances } from '../../../lib/datapath/mode.ts';
import type { VipBackend } from '../../../lib/datapath/settings.ts';
import { DsrTables } from '../../../lib/forward/dsr-tables.ts';

const idle: Circumstances = {
  refuse: false,
  firstQueue: 20_480,
  takenGeneration: Number.POSITIVE_INFINITY,
  vipInUse: () => false,
  endpointInUse: () => false,
  snatInUse: () => false,
};

/** All backends are on the link `eth0`, of this MTU; `state` may be changed. */
interface Machine {
  mtu: number;
}

function runOn(state: Machine): Run {
  return async (_program, [, object = '']) =>
    JSON.stringify(object === 'link' ? [{ mtu: state.mtu }] : [{ dev: 'eth0', prefsrc: '10.0.2.1' }]);
}

function newMode(state: Machine = { mtu: 1_500 }): DsrMode {
  return new DsrMode(
    {
      name: 'edge',
      hashSeed: '00000000000000000000000000000000',
      workers: 1,
      probePorts: [26_624, 26_631],
      newFlows: 1_000,
    },
    { vips: 16, endpoints: 16 },
    runOn(state),
  );
}

async function publish(mode: DsrMode, vips: readonly DsrVip[], now: Circumstances = idle) {
  await mode.learn(vips);
  return mode.publish(vips, now);
}

function backend(name: string, change: Partial<VipBackend> = {}): VipBackend {
  return { name, address: `10.0.2.${name}`, port: 0, weight: 1, up: true, ...change };
}

function vip(backends: readonly VipBackend[], change: Partial<DsrVip> = {}): DsrVip {
  return {
    service: 'web',
    protocol: 'tcp',
    address: '192.0.2.1',
    port: 80,
    balance: 'maglev',
    whenAllDown: 'reject',
    encapsulation: 'gre',
    outerSource: 'auto',
    backends,
    ...change,
  };
}

type Published = Awaited<ReturnType<typeof publish>>;

function numbersOf({ publication }: Published): number[][] {
  return publication.choices.map(({ members }) => members.map(({ endpoint }) => endpoint));
}

describe('a generation of tables', () => {
  it('can be read by the packet path', async () => {
    const { publication } = await publish(newMode(), [vip([backend('2')], { outerSource: ['10.7.0.0/24'] })]);
    const tables = new DsrTables(structuredClone(publication).tables);
    assert.equal(tables.encapsulation[1], 1);
    assert.equal(tables.sourceMask[1], 0xff);
    assert.equal(tables.endpointMtu[1], 1_500);
  });

  it('shares memory, not copies, for health, paths, checks and Maglev tables', async () => {
    const { publication } = await publish(newMode(), [vip([backend('2')])]);
    const { endpointDown, endpointMtu, probes } = publication.tables;
    for (const { buffer } of [endpointDown, endpointMtu, probes.endpoints, publication.choices[0]!.table!]) {
      assert.ok(buffer instanceof SharedArrayBuffer);
    }
  });

  it('has a Maglev table for whatever policy: packets that nobody remembers are placed by it', async () => {
    const { publication } = await publish(newMode(), [vip([backend('2')], { balance: 'least-connections' })]);
    assert.notEqual(publication.choices[0]!.table, undefined);
  });

  it('gives a backend one number for all ports of a service, and another for another service', async () => {
    const published = await publish(newMode(), [
      vip([backend('2')]),
      vip([backend('2')], { port: 443 }),
      vip([backend('2')], { address: '2001:db8::1' }),
      vip([backend('2')], { service: 'dns', protocol: 'udp', encapsulation: 'ipip' }),
    ]);
    assert.deepEqual(numbersOf(published), [[1], [1], [1], [2]]);
    assert.deepEqual(
      published.publication.tables.endpoints.map(({ encapsulation }) => encapsulation),
      [1, 2],
    );
  });

  it('calls a backend down for the service that finds it so', async () => {
    const { publication } = await publish(newMode(), [
      vip([backend('2', { up: false })]),
      vip([backend('2')], { service: 'dns', protocol: 'udp' }),
    ]);
    assert.deepEqual([...publication.tables.endpointDown.subarray(1, 3)], [1, 0]);
  });

  it('keeps a backend that is gone while it has flows, with the way to it', async () => {
    const mode = newMode();
    await publish(mode, [vip([backend('2'), backend('3')])]);
    const { publication } = await publish(mode, [vip([backend('3')])], {
      ...idle,
      endpointInUse: () => true,
    });
    assert.deepEqual(
      publication.tables.endpoints.map(({ number, address, retired }) => [number, address, retired]),
      [
        [2, '10.0.2.3', false],
        [1, '10.0.2.2', true],
      ],
    );
  });
});

describe('the path to a backend', () => {
  it('stays as workers have learnt it until the machine is asked again', async () => {
    const state = { mtu: 9_000 };
    const mode = newMode(state);
    const vips = [vip([backend('2')])];
    const { endpointMtu } = (await publish(mode, vips)).publication.tables;
    assert.equal(endpointMtu[1], 9_000);
    endpointMtu[1] = 1_400;
    await publish(mode, vips);
    assert.equal(endpointMtu[1], 1_400);
    state.mtu = 8_000;
    await mode.refresh();
    await publish(mode, vips);
    assert.equal(endpointMtu[1], 8_000);
  });

  it('takes no more than a packet can be', async () => {
    const { publication } = await publish(newMode({ mtu: 65_536 }), [vip([backend('2')])]);
    assert.equal(publication.tables.endpointMtu[1], 65_535);
  });

  it('is a route of a mark by encap l2, for each family of VIPs', async () => {
    const l2 = { encapsulation: 'l2' } as const;
    const published = await publish(newMode(), [
      vip([backend('2')], l2),
      vip([backend('2')], { ...l2, address: '2001:db8::1' }),
      vip([backend('3')], { service: 'tunnelled', port: 81 }),
    ]);
    const mark = (20_480 << 12) | 1;
    assert.deepEqual(published.markedRoutes, [
      { family: 4, mark, nextHop: '10.0.2.2', interface: 'eth0' },
      { family: 6, mark, nextHop: '10.0.2.2', interface: 'eth0' },
    ]);
    assert.equal(published.publication.tables.endpoints[0]!.mark, mark);
  });
});

describe('what the machine is to do', () => {
  it('has to do with VIPs and with where tunnels begin', async () => {
    const published = await publish(newMode(), [
      vip([backend('2')]),
      vip([backend('3')], { service: 'l2', port: 81, encapsulation: 'l2' }),
      vip([backend('2')], { service: 'spread', port: 82, outerSource: ['10.7.0.0/24'] }),
    ]);
    assert.deepEqual(published.sources, ['192.0.2.1', '10.0.2.1', '10.7.0.0']);
    const errors = published.selectors.filter(({ kind }) => kind === 'tunnel-error');
    assert.deepEqual(
      errors.map(({ address }) => address),
      ['10.0.2.1', '10.7.0.0/24'],
    );
  });
});

describe('a check', () => {
  it('comes from a port whose packets go to its backend', async () => {
    const mode = newMode();
    const web = vip([backend('2'), backend('3')]);
    const { publication } = await publish(mode, [web]);
    const { endpoints, firstPort, sources } = publication.tables.probes;
    const [two, three] = [mode.probeFrom(web, backend('2'))!, mode.probeFrom(web, backend('3'))!];
    assert.deepEqual([two.address, three.address], ['10.0.2.1', '10.0.2.1']);
    assert.deepEqual(sources, ['10.0.2.1']);
    assert.deepEqual([endpoints[two.port - firstPort], endpoints[three.port - firstPort]], [1, 2]);
  });

  it('has nowhere to come from once all ports are taken, until one is given back', async () => {
    const mode = newMode();
    const web = vip([backend('2')]);
    await publish(mode, [web]);
    const taken = Array.from({ length: 8 }, () => mode.probeFrom(web, backend('2'))!);
    assert.equal(mode.probeFrom(web, backend('2')), undefined);
    taken[3]!.giveBack();
    assert.equal(mode.probeFrom(web, backend('2'))?.port, taken[3]!.port);
  });

  it('has nowhere to come from before the backend is published', () => {
    const mode = newMode();
    assert.equal(mode.probeFrom(vip([backend('2')]), backend('2')), undefined);
  });
});
