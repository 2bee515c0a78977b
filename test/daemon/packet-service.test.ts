/** Services of mode nat in an instance, over a packet path that only takes notes. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Instance } from '../../lib/daemon/instance.ts';
import type { NatSettings, NatVip } from '../../lib/datapath/nat/settings.ts';
import { type Log, silentLog } from '../../lib/model/log.ts';
import {
  type BackendSpec,
  defaultDrainMs,
  defaultNatSpec,
  type InstanceSpec,
  type Listen,
  type ServiceSpec,
} from '../../lib/model/spec.ts';
import type { FlowState } from '../../lib/model/view.ts';
import { rest, until } from '../proxy/socket/node-support.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDatapath } from './memory-datapath.ts';
import { greeter, instanceSpec, noDatapaths, service, tcp, to, whoAnswers } from './support.ts';

const vip: Listen = { protocol: 'tcp', host: '192.0.2.1', port: 80 };
const vipText = 'tcp://192.0.2.1:80';

function backend(name: string, host = `10.0.0.${name.charCodeAt(0) - 96}`, weight = 1): BackendSpec {
  return { name, host, port: 80, weight };
}

function natService(
  name: string,
  backends: readonly BackendSpec[],
  differing: Partial<ServiceSpec> = {},
): ServiceSpec {
  return service(name, backends, { mode: 'nat', balance: 'maglev', listen: [vip], ...differing });
}

type NatPath = MemoryDatapath<NatSettings, NatVip>;

/** An instance whose packet path, once there is one, is at hand. */
async function serving(t: TestContext, spec: InstanceSpec, log: Log = silentLog) {
  const clock = new ManualClock();
  const opened: NatPath[] = [];
  let next = spec;
  const instance = new Instance({
    spec,
    reread: async () => next,
    surroundings: { clock, random: Math.random, log },
    openDatapaths: {
      ...noDatapaths,
      async nat(settings) {
        opened.push(new MemoryDatapath(settings));
        return opened.at(-1)!;
      },
    },
  });
  t.after(() => instance.close());
  await instance.start();
  return {
    instance,
    clock,
    opened,
    get path(): NatPath {
      return opened[0]!;
    },
    reload(...services: readonly ServiceSpec[]) {
      next = { ...next, services };
      return instance.reload();
    },
    reloadAll(other: InstanceSpec) {
      next = other;
      return instance.reload();
    },
  };
}

/** The backends of every VIP in short: `a 1 up`. */
function published({ vips }: NatPath): string[] {
  return vips!.map(({ protocol, address, port, backends }) => {
    const list = backends.map(({ name, weight, up }) => `${name} ${weight} ${up ? 'up' : 'down'}`);
    return `${protocol}://${address}:${port}: ${list.join(', ')}`;
  });
}

describe('an instance with a service of mode nat', () => {
  it('opens one packet path for all of them, as the configuration says', async (t) => {
    const other: Listen = { protocol: 'udp', host: '2001:db8::1', port: 53 };
    const spec: InstanceSpec = {
      ...instanceSpec(
        natService('web', [backend('a'), backend('b', '10.0.0.2', 3)], {
          nat: { snat: ['10.0.0.9'], whenDown: 'drop' },
          whenAllDown: 'drop',
        }),
        natService('dns', [backend('c', 'fd00::1')], {
          listen: [other],
          balance: 'source',
          nat: { ...defaultNatSpec, snat: 'none' },
        }),
      ),
      nat: {
        workers: 2,
        snatPorts: [7_000, 8_000],
        maxFlows: 4_096,
        onFailure: 'bypass',
        addVip: 'eth0',
        timeouts: { established: 1_000 },
      },
    };
    const { opened, path, instance } = await serving(t, spec);
    assert.equal(opened.length, 1);
    const { timeouts, directory, ...settings } = path.settings;
    assert.deepEqual(settings, {
      name: 'edge',
      workers: 2,
      snatAddresses: ['10.0.0.9'],
      snatPorts: [7_000, 8_000],
      maxFlows: 4_096,
      onFailure: 'bypass',
      addVip: 'eth0',
      hashSeed: spec.hashSeed,
    });
    assert.match(directory, /^\//);
    assert.deepEqual([timeouts.established, timeouts['time-wait']], [1_000, 120_000]);
    assert.deepEqual(path.vips, [
      {
        protocol: 'tcp',
        address: '192.0.2.1',
        port: 80,
        service: 'web',
        balance: 'maglev',
        snat: true,
        whenDown: 'drop',
        whenAllDown: 'drop',
        backends: [
          { name: 'a', address: '10.0.0.1', port: 80, weight: 1, up: true },
          { name: 'b', address: '10.0.0.2', port: 80, weight: 3, up: true },
        ],
      },
      {
        protocol: 'udp',
        address: '2001:db8::1',
        port: 53,
        service: 'dns',
        balance: 'source',
        snat: false,
        whenDown: 'reset',
        whenAllDown: 'reject',
        backends: [{ name: 'c', address: 'fd00::1', port: 80, weight: 1, up: true }],
      },
    ]);
    assert.equal(instance.ready, true);
  });

  it('opens none without, and then when the first comes, beside what it proxies', async (t) => {
    const a = await greeter(t, 'a');
    const web = service('web', [to(a.port)], { listen: [tcp()] });
    const { opened, reload, instance } = await serving(t, instanceSpec(web));
    assert.equal(opened.length, 0);
    await reload(web, natService('nat', [backend('b')]));
    assert.deepEqual(published(opened[0]!), [`${vipText}: b 1 up`]);
    const port = Number(instance.status().services[0]!.listen.split(':').at(-1));
    assert.equal(await whoAnswers(t, port), 'a');
  });

  it('does not start where the packet path does not, and leaves nothing bound', async (t) => {
    const instance = new Instance({
      spec: instanceSpec(service('web', [to(80)], { listen: [tcp()] }), natService('nat', [backend('a')])),
      surroundings: { clock: new ManualClock(), random: Math.random, log: silentLog },
      openDatapaths: {
        ...noDatapaths,
        async nat(settings) {
          const path: NatPath = new MemoryDatapath(settings);
          path.obstacle = async () => assert.fail('no NFQUEUE');
          return path;
        },
      },
    });
    t.after(() => instance.close());
    await assert.rejects(instance.start(), { message: 'no NFQUEUE' });
    assert.equal(instance.ready, false);
    assert.deepEqual(instance.status().services, []);
  });

  it('is refused where a name turns out to be an address that no packet can be sent to', async (t) => {
    await assert.rejects(
      serving(t, instanceSpec(natService('web', [backend('a', 'localhost')]))),
      /^SluiceError: backend 127\.0\.0\.1:80 cannot be reached/,
    );
  });

  it('serves every address of the machine but those of the loopback', async (t) => {
    const { path } = await serving(
      t,
      instanceSpec(natService('web', [backend('a')], { listen: [{ ...vip, host: '' }] })),
    ).catch((error: Error) => {
      // A machine without any.
      assert.match(error.message, /has no address/);
      return { path: undefined };
    });
    for (const { address } of path?.vips ?? []) assert.doesNotMatch(address, /^(127\.|::1|fe80)/);
  });
});

describe('the packet path is told', () => {
  it('what a person sets', async (t) => {
    const { instance, path } = await serving(
      t,
      instanceSpec(natService('web', [backend('a'), backend('b')])),
    );
    const [view] = instance.patchBackend(undefined, '10.0.0.1:80', { state: 'draining' });
    assert.equal(view!.state, 'draining');
    await rest();
    assert.deepEqual(published(path), [`${vipText}: a 0 up, b 1 up`]);
    instance.patchBackend('web', 'a', { state: 'enabled', weight: 5 });
    await rest();
    assert.deepEqual(published(path), [`${vipText}: a 5 up, b 1 up`]);
  });

  const checkBy = (command: string) =>
    ({
      type: 'exec',
      command,
      intervalMs: 1_000,
      fastIntervalMs: 200,
      timeoutMs: 60_000,
      rise: 1,
      fall: 1,
    }) as const;

  it('what the checks find', async (t) => {
    const check = checkBy('test "$SLUICE_BACKEND" != b');
    const { instance, path, clock } = await serving(
      t,
      instanceSpec(natService('web', [backend('a'), backend('b')], { check })),
    );
    await until(() => {
      clock.advance(50);
      return published(path)[0] === `${vipText}: a 1 up, b 1 down`;
    });
    assert.equal(instance.status().services[0]!.backendsUp, 1);
  });

  it('that the last known are up, where none is and those are to be tried', async (t) => {
    const service = natService('web', [backend('a'), backend('b')], {
      check: checkBy('false'),
      whenAllDown: 'last-known',
    });
    const { instance, path, clock } = await serving(t, instanceSpec(service));
    await until(() => {
      clock.advance(50);
      return instance.status().services[0]!.backendsUp === 0;
    });
    await rest();
    assert.deepEqual(published(path), [`${vipText}: a 1 up, b 1 up`]);
  });

  it('what a reload changes', async (t) => {
    const web = natService('web', [backend('a'), backend('b')]);
    const { path, reload } = await serving(t, instanceSpec(web));
    await reload(web);
    assert.deepEqual(published(path), [`${vipText}: a 1 up, b 1 up`]);
    await reload(natService('web', [backend('b'), backend('c')], { balance: 'source' }));
    assert.deepEqual(published(path), [`${vipText}: b 1 up, c 1 up`]);
    assert.equal(path.vips![0]!.balance, 'source');
    const second: Listen = { ...vip, port: 81 };
    await reload(web, natService('more', [backend('d')], { listen: [second] }));
    assert.deepEqual(published(path), [`${vipText}: a 1 up, b 1 up`, 'tcp://192.0.2.1:81: d 1 up']);
    await reload(natService('more', [backend('d')], { listen: [second] }));
    await until(() => published(path).join() === 'tcp://192.0.2.1:81: d 1 up');
  });

  it('one thing at a time, and of what comes meanwhile only the last', async (t) => {
    const { instance, path } = await serving(t, instanceSpec(natService('web', [backend('a')])));
    let letGo = (): void => undefined;
    path.obstacle = () =>
      new Promise((resolve) => {
        letGo = resolve;
      });
    instance.patchBackend('web', 'a', { weight: 2 });
    await rest();
    for (let weight = 3; weight < 10; weight++) instance.patchBackend('web', 'a', { weight });
    await rest();
    assert.equal(path.publications, 1);
    path.obstacle = async () => undefined;
    letGo();
    await rest();
    assert.equal(path.publications, 2);
    assert.deepEqual(published(path), [`${vipText}: a 9 up`]);
  });

  it('again after a change that failed, which a reload rejects with and others log', async (t) => {
    const said: string[] = [];
    const log: Log = {
      ...silentLog,
      error: (message, fields) => said.push(`${message}: ${Object(fields).error}`),
    };
    const { instance, path, reload } = await serving(t, instanceSpec(natService('web', [backend('a')])), log);
    path.obstacle = async () => assert.fail('nft: busy');
    await assert.rejects(reload(natService('web', [backend('b')])), { message: 'nft: busy' });
    instance.patchBackend('web', 'b', { weight: 2 });
    await rest();
    assert.deepEqual(said, ['the packet path could not be changed: nft: busy']);
    path.obstacle = async () => undefined;
    instance.patchBackend('web', 'b', { weight: 3 });
    await rest();
    assert.deepEqual(published(path), [`${vipText}: b 3 up`]);
  });
});

describe('a reload', () => {
  it('is refused where it would change what cannot change while packets are rewritten', async (t) => {
    const spec = instanceSpec(natService('web', [backend('a')]));
    const { reloadAll, path } = await serving(t, spec);
    const other: InstanceSpec = {
      ...spec,
      nat: { ...spec.nat, workers: 2, onFailure: 'bypass' },
      services: [natService('web', [backend('b')])],
    };
    await assert.rejects(reloadAll(other), {
      code: 'ERR_SLUICE_NEEDS_RESTART',
      message: 'the packet path is running, and workers, on-failure cannot change meanwhile',
    });
    assert.deepEqual(published(path), [`${vipText}: a 1 up`]);
  });

  it('lets the flows of a backend that it removes go on until the deadline', async (t) => {
    const { path, reload, clock, instance } = await serving(
      t,
      instanceSpec(natService('web', [backend('a'), backend('b')])),
    );
    path.count('tcp://10.0.0.1:80', { flows: 2, opened: 5 });
    await reload(natService('web', [backend('b')]));
    assert.deepEqual(published(path), [`${vipText}: b 1 up, a 0 up`]);
    assert.deepEqual(
      instance.backends().map(({ name, state, flows }) => [name, state, flows]),
      [
        ['b', 'up', 0],
        ['a', 'draining', 2],
      ],
    );
    clock.advance(defaultDrainMs);
    await rest();
    assert.deepEqual(published(path), [`${vipText}: b 1 up, a 0 down`]);
    path.count('tcp://10.0.0.1:80', { flows: 0, opened: 5 });
    await until(() => instance.backends().length === 1);
    await rest();
    assert.deepEqual(published(path), [`${vipText}: b 1 up`]);
  });

  it('lets the flows of a service that it removes go on until the deadline', async (t) => {
    const { path, reload, clock, instance } = await serving(
      t,
      instanceSpec(natService('web', [backend('a')])),
    );
    path.count(vipText, { flows: 20_000 });
    path.list.push(...Array.from({ length: 20_000 }, () => flow('established')));
    await reload(natService('other', [backend('b')], { listen: [{ ...vip, port: 81 }] }));
    const others = 'tcp://192.0.2.1:81: b 1 up';
    assert.deepEqual(published(path), [others, `${vipText}: a 0 up`]);
    clock.advance(defaultDrainMs);
    await rest();
    assert.deepEqual(published(path), [others, `${vipText}: a 0 down`]);
    path.count(vipText, { flows: 0 });
    path.list.length = 0;
    await until(() => instance.backends().length === 1);
    await rest();
    assert.deepEqual(published(path), [others]);
  });

  it('gives an address to another service at once', async (t) => {
    const { path, reload, instance } = await serving(t, instanceSpec(natService('web', [backend('a')])));
    path.count(vipText, { flows: 20_000 });
    await reload(natService('next', [backend('b')]));
    assert.deepEqual(published(path), [`${vipText}: b 1 up`]);
    // The one before waits for nothing that is not its own.
    await until(() => instance.backends().every(({ service }) => service === 'next'));
  });

  it('makes another service of one that changes its mode', async (t) => {
    const a = await greeter(t, 'a');
    const proxied = service('web', [to(a.port)], { listen: [tcp()] });
    const { path, opened, reload, instance } = await serving(t, instanceSpec(proxied));
    const port = Number(instance.status().services[0]!.listen.split(':').at(-1));
    const view = await reload(natService('web', [backend('b')]));
    assert.match(view.changed.join(), /^web \(mode, /);
    assert.deepEqual(published(opened[0]!), [`${vipText}: b 1 up`]);
    assert.equal(await whoAnswers(t, port), 'ECONNREFUSED');
    await reload(proxied);
    assert.equal(path, undefined);
    await until(() => published(opened[0]!).length === 0);
    assert.equal(instance.status().services[0]!.mode, 'proxy');
  });
});

function flow(state: FlowState, client = '198.51.100.7:40000') {
  return {
    protocol: 'tcp',
    service: 'web',
    client,
    vip: '192.0.2.1:80',
    backend: '10.0.0.1:80',
    state,
    trackedState: 'established' as const,
    ageMs: 1_500,
    idleMs: 20,
    packetsIn: 3,
    packetsOut: 2,
    bytesIn: 300,
    bytesOut: 200,
  } as const;
}

describe('the views of a service of mode nat', () => {
  it('have what the packet path has counted', async (t) => {
    const { path, instance, clock } = await serving(
      t,
      instanceSpec(natService('web', [backend('a'), backend('b')])),
    );
    const traffic = { packetsIn: 20, packetsOut: 30, bytesIn: 1_000, bytesOut: 2_000 };
    path.count(vipText, { flows: 3, opened: 9, ...traffic });
    path.drop('', { 'not-ip': 2 });
    path.count('tcp://10.0.0.1:80', {
      flows: 2,
      opened: 6,
      packetsIn: 15,
      packetsOut: 16,
      bytesIn: 700,
      bytesOut: 1_500,
    });
    path.drop(vipText, { 'ports-exhausted': 4 });
    path.list.push(
      flow('established'),
      flow('connecting', '198.51.100.8:1'),
      flow('closing', '198.51.100.9:1'),
    );
    assert.deepEqual(instance.status().services, [
      {
        name: 'web',
        mode: 'nat',
        listen: vipText,
        balance: 'maglev',
        backends: 2,
        backendsUp: 2,
        flows: 3,
        queued: 0,
        connections: 9,
        packetsIn: 20,
        packetsOut: 30,
        bytesIn: 1_000,
        bytesOut: 2_000,
        dropped: { 'ports-exhausted': 4 },
      },
    ]);
    assert.deepEqual(instance.status().dropped, { 'not-ip': 2 });
    clock.advance(1_000);
    await until(() => instance.backends()[0]!.flows === 2);
    const [a] = instance.backends();
    assert.deepEqual(a, {
      service: 'web',
      name: 'a',
      address: '10.0.0.1:80',
      weight: 1,
      state: 'up',
      health: { last: 'unchecked', sinceMs: 1_000, latencyMs: null, checks: [], passed: 0, failed: 0 },
      sourcePorts: 4_535,
      packetsIn: 15,
      packetsOut: 16,
      flows: 2,
      connections: 6,
      failures: 0,
      bytesIn: 700,
      bytesOut: 1_500,
      history: [{ state: 'up', reason: 'unchecked', agoMs: 1_000 }],
    });
    const [first, ...others] = instance.flows({ limit: 9 }).flows;
    assert.deepEqual(first, { ...flow('established'), service: 'web', mode: 'nat' });
    assert.deepEqual(
      others.map(({ state }) => state),
      ['connecting', 'closing'],
    );
    assert.equal(instance.flows({ limit: 1 }).flows.length, 1);
  });
});

describe('an instance of mode nat that stops', () => {
  it('refuses new flows, waits for those that are not over, and puts the machine back', async (t) => {
    const { path, instance } = await serving(t, instanceSpec(natService('web', [backend('a')])));
    path.count(vipText, { flows: 2 });
    path.list.push(flow('established'), flow('closing'));
    instance.stop();
    assert.deepEqual([instance.ready, path.refusing, path.stopped], [false, true, false]);
    assert.deepEqual(published(path), [`${vipText}: a 1 up`]);
    await rest();
    assert.equal(path.stopped, false);
    path.list.shift();
    await instance.stopped;
    assert.equal(path.stopped, true);
  });

  it('ends at the deadline, or when it is closed', async (t) => {
    const { path, instance, clock } = await serving(t, instanceSpec(natService('web', [backend('a')])));
    path.count(vipText, { flows: 1 });
    path.list.push(flow('established'));
    instance.stop();
    clock.advance(defaultDrainMs);
    await instance.stopped;
    assert.equal(path.stopped, true);
    const hurried = await serving(t, instanceSpec(natService('web', [backend('a')])));
    hurried.path.count(vipText, { flows: 1 });
    hurried.path.list.push(flow('established'));
    hurried.instance.stop();
    hurried.instance.close();
    await hurried.instance.stopped;
    assert.equal(hurried.path.stopped, true);
  });

  it('waits for a change that is under way before it puts the machine back', async (t) => {
    const { path, instance } = await serving(t, instanceSpec(natService('web', [backend('a')])));
    let letGo = (): void => undefined;
    path.obstacle = () =>
      new Promise((resolve) => {
        letGo = resolve;
      });
    instance.patchBackend('web', 'a', { weight: 2 });
    instance.close();
    await rest();
    assert.equal(path.stopped, false);
    letGo();
    await instance.stopped;
    assert.equal(path.stopped, true);
  });
});
