/** What a plan foretells, and what a reload then does. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { Instance } from '../../lib/daemon/instance.ts';
import type { DsrSettings, DsrVip } from '../../lib/datapath/dsr/settings.ts';
import type { FlowGroup } from '../../lib/datapath/flow-groups.ts';
import type { NatSettings, NatVip } from '../../lib/datapath/nat/settings.ts';
import { silentLog } from '../../lib/model/log.ts';
import type { BackendSpec, InstanceSpec, Protocol, ServiceSpec } from '../../lib/model/spec.ts';
import { until } from '../proxy/socket/node-support.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { freePort } from '../support/ports.ts';
import { MemoryDatapath } from './memory-datapath.ts';
import { conversation, greeter, instanceSpec, noDatapaths, service, tcp, to, udp } from './support.ts';

function backend(name: string, weight = 1): BackendSpec {
  return { name, host: `10.0.0.${name.charCodeAt(0) - 96}`, port: 80, weight };
}

function natService(
  name: string,
  backends: readonly BackendSpec[],
  differing: Partial<ServiceSpec> = {},
): ServiceSpec {
  const listen = [{ protocol: 'tcp', host: '192.0.2.1', port: 80 } as const];
  return service(name, backends, { mode: 'nat', balance: 'maglev', listen, ...differing });
}

/** So many flows to an endpoint, each an example. */
function flows(count: number, protocol: Protocol, to: string): FlowGroup {
  const example = {
    protocol,
    service: 'web',
    client: '198.51.100.7:40000',
    vip: '192.0.2.1:80',
    backend: `${to}:80`,
    state: 'established',
    trackedState: 'established',
    ageMs: 0,
    idleMs: 0,
    packetsIn: 1,
    packetsOut: 1,
    bytesIn: 40,
    bytesOut: 40,
  } as const;
  return {
    vip: { service: 'web', protocol, address: '192.0.2.1', port: 80 },
    backend: example.backend,
    flows: count,
    examples: [example],
  };
}

async function serving(t: TestContext, spec: InstanceSpec) {
  const clock = new ManualClock();
  const opened: MemoryDatapath<NatSettings, NatVip>[] = [];
  const tunnelled: MemoryDatapath<DsrSettings, DsrVip>[] = [];
  let next = spec;
  const instance = new Instance({
    spec,
    // As if the text were the number of a configuration.
    reread: async (instead) => (instead === undefined ? next : others[Number(instead.text)]!),
    surroundings: { clock, random: Math.random, log: silentLog },
    openDatapaths: {
      ...noDatapaths,
      nat: async (settings) => {
        opened.push(new MemoryDatapath(settings));
        return opened.at(-1)!;
      },
      dsr: async (settings) => {
        tunnelled.push(new MemoryDatapath(settings));
        return tunnelled.at(-1)!;
      },
    },
  });
  const others: InstanceSpec[] = [];
  t.after(() => instance.close());
  await instance.start();
  return {
    instance,
    clock,
    opened,
    tunnelled,
    /** What going over to this would do. */
    plan: (other: InstanceSpec) =>
      instance.plan({ text: String(others.push(other) - 1), file: 'other.yaml' }),
    reload(other: InstanceSpec) {
      next = other;
      return instance.reload();
    },
  };
}

describe('a plan', () => {
  it('is what a reload then says that it has done', async (t) => {
    const { plan, reload } = await serving(
      t,
      instanceSpec(service('web', [to(1), to(2)]), service('old', [to(3)])),
    );
    const next = {
      ...instanceSpec(service('web', [to(2), { ...to(4), weight: 5 }]), service('api', [to(1)])),
      name: 'other',
    };
    const foretold = await plan(next);
    assert.deepEqual(foretold.added, ['api']);
    assert.deepEqual(foretold.changed, ['web (backends)']);
    assert.deepEqual(foretold.removed, ['old']);
    assert.deepEqual(foretold.needRestart, ['name']);
    assert.deepEqual(
      foretold.services.map(({ name, change, backends }) => [name, change, backends.added, backends.removed]),
      [
        ['api', 'added', ['1'], []],
        ['web', 'changed', ['4'], ['1']],
        ['old', 'removed', [], ['3']],
      ],
    );
    assert.deepEqual(await reload(next), foretold);
  });

  it('changes nothing', async (t) => {
    const { instance, plan, opened } = await serving(
      t,
      instanceSpec(
        natService('nat', [backend('a'), backend('b')]),
        service('web', [to(1)], { balance: 'maglev' }),
      ),
    );
    const seen = () => [
      instance.status().services,
      instance.backends(),
      opened[0]!.vips,
      opened[0]!.publications,
    ];
    const before = structuredClone(seen());
    await plan(instanceSpec(natService('nat', [backend('c')])));
    assert.deepEqual(seen(), before);
  });

  it('is of its own configuration as it is now without another', async (t) => {
    const { instance } = await serving(t, instanceSpec(service('web', [to(1)])));
    const { unchanged, services } = await instance.plan();
    assert.deepEqual([unchanged, services], [['web'], []]);
  });

  it('says why a reload would be refused', async (t) => {
    const spec = instanceSpec(natService('nat', [backend('a')]));
    const { plan } = await serving(t, spec);
    const more = await plan({ ...spec, nat: { ...spec.nat, workers: 2 } });
    assert.match(more.refused!.message, /workers cannot change/);
    const self = await plan(instanceSpec(natService('nat', [{ ...backend('a'), host: '127.0.0.1' }])));
    assert.match(self.refused!.message, /cannot be reached/);
  });

  it('needs a configuration, and an instance that runs', async (t) => {
    const instance = new Instance({
      spec: instanceSpec(service('web', [to(1)])),
      surroundings: { clock: new ManualClock(), random: Math.random, log: silentLog },
      openDatapaths: noDatapaths,
    });
    await assert.rejects(instance.plan(), { code: 'ERR_SLUICE_NO_CONFIGURATION' });
    const { instance: other } = await serving(t, instanceSpec(service('web', [to(1)])));
    other.stop();
    await assert.rejects(other.plan(), { code: 'ERR_SLUICE_BUSY' });
  });
});

describe('the slots in a plan', () => {
  const web = (...backends: readonly BackendSpec[]) =>
    instanceSpec(service('web', backends, { balance: 'maglev', listen: [tcp(port)] }));
  let port = 0;

  it('are those that another table gives to other backends', async (t) => {
    port = await freePort();
    const { plan } = await serving(t, web(to(1), to(2), to(3), to(4)));
    const [{ slots } = { slots: null }] = (await plan(web(to(1), to(2), to(3)))).services;
    assert.equal(slots!.slots, 65_537);
    // A quarter had to; Maglev moves a little more.
    assert.ok(Math.abs(slots!.unavoidable / slots!.slots - 0.25) < 0.001);
    assert.ok(slots!.moved >= slots!.unavoidable && slots!.moved < 0.3 * slots!.slots);
  });

  it('begin from who is up and has a weight now, and take newcomers for well', async (t) => {
    port = await freePort();
    const { instance, plan } = await serving(t, web(to(1), to(2)));
    instance.patchBackend('web', '2', { state: 'draining' });
    const [{ slots } = { slots: null }] = (await plan(web(to(1), to(2), to(3)))).services;
    // From all of the first to half of it.
    assert.ok(Math.abs(slots!.moved / slots!.slots - 0.5) < 0.001);
  });

  it('are there for each family of addresses in mode nat', async (t) => {
    const listen = [
      { protocol: 'tcp', host: '192.0.2.1', port: 80 },
      { protocol: 'tcp', host: '2001:db8::1', port: 80 },
    ] as const;
    const six = (name: string): BackendSpec => ({ name, host: `fd00::${name}`, port: 80, weight: 1 });
    const nat = (...backends: readonly BackendSpec[]) =>
      instanceSpec(natService('nat', backends, { listen }));
    const { plan } = await serving(t, nat(backend('a'), six('1'), six('2')));
    const [{ slots } = { slots: null }] = (await plan(nat(backend('a'), six('1')))).services;
    assert.equal(slots!.slots, 2 * 65_537);
    assert.ok(Math.abs(slots!.moved / 65_537 - 0.5) < 0.001);
  });

  it('are not there where no table places flows, or by another key', async (t) => {
    port = await freePort();
    const listen = [tcp(port)];
    const { plan } = await serving(t, web(to(1), to(2)));
    for (const balance of ['round-robin', 'source'] as const) {
      const other = instanceSpec(service('web', [to(1)], { balance, listen }));
      assert.equal((await plan(other)).services[0]!.slots, null);
    }
  });
});

describe('the live flows in a plan', () => {
  it('of a proxy end with their backend or service', async (t) => {
    const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
    const port = await freePort();
    const web = (...backends: readonly BackendSpec[]) =>
      instanceSpec(service('web', backends, { listen: [tcp(port)] }));
    const { instance, plan } = await serving(t, web(to(a.port, 'a'), to(b.port, 'b')));
    const onA = await conversation(t, port, a);
    await conversation(t, port, b);
    await conversation(t, port, a);
    const without = await plan(web(to(b.port, 'b')));
    const { examples, ...counts } = without.flows;
    assert.deepEqual(counts, { live: 3, stay: 1, move: 0, cut: 2 });
    assert.deepEqual(without.services[0]!.flows, without.flows);
    const client = `127.0.0.1:${onA.client.socket.localPort}`;
    assert.deepEqual(examples[0], {
      protocol: 'tcp',
      client,
      vip: `127.0.0.1:${port}`,
      backend: `127.0.0.1:${a.port}`,
      fate: 'cut',
    });
    assert.equal((await plan(instanceSpec(service('other', [to(a.port)])))).flows.cut, 3);
    assert.equal((await plan(web(to(a.port, 'a'), to(b.port, 'b'), to(1)))).flows.stay, 3);
    assert.equal(instance.status().services[0]!.flows, 3);
  });

  it('of a UDP proxy end with their listener', async (t) => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const [port, other] = [await freePort(), await freePort()];
    const dns = (...ports: number[]) =>
      instanceSpec(service('dns', [to(silent.address().port)], { listen: ports.map((each) => udp(each)) }));
    const { instance, plan } = await serving(t, dns(port, other));
    const client = createSocket('udp4');
    t.after(() => client.close());
    client.send('x', port, '127.0.0.1');
    await until(() => instance.flows({ limit: 1 }).flows.length === 1);
    assert.equal((await plan(dns(other))).flows.cut, 1);
    assert.equal((await plan(dns(port))).flows.stay, 1);
  });

  it('of mode nat stay with an address that any service sends packets to', async (t) => {
    const spec = instanceSpec(natService('nat', [backend('a'), backend('b')]));
    const { plan, opened } = await serving(t, spec);
    opened[0]!.grouped.push(flows(5, 'tcp', '10.0.0.1'), flows(7, 'tcp', '10.0.0.2'));
    const counts = async (next: InstanceSpec) => {
      const { live, stay, move, cut } = (await plan(next)).flows;
      return [live, stay, move, cut];
    };
    assert.deepEqual(await counts(instanceSpec(natService('nat', [backend('b')]))), [12, 7, 0, 5]);
    assert.deepEqual(
      await counts(instanceSpec(natService('nat', [{ ...backend('a'), name: 'z' }]))),
      [12, 5, 0, 7],
    );
    assert.deepEqual(await counts(instanceSpec(natService('other', [backend('a')]))), [12, 5, 0, 7]);
    assert.deepEqual(
      await counts(instanceSpec(natService('nat', [backend('a', 0), backend('b')]))),
      [12, 12, 0, 0],
    );
  });

  it('of mode nat move over UDP as long as their VIP is served', async (t) => {
    const at = (host: string) => ({ listen: [{ protocol: 'udp', host, port: 80 } as const] });
    const { plan, opened } = await serving(
      t,
      instanceSpec(natService('dns', [backend('a'), backend('b')], at('192.0.2.1'))),
    );
    opened[0]!.grouped.push(flows(5, 'udp', '10.0.0.1'), flows(7, 'udp', '10.0.0.2'));
    const { flows: here } = await plan(instanceSpec(natService('dns', [backend('b')], at('192.0.2.1'))));
    assert.deepEqual([here.stay, here.move, here.cut], [7, 5, 0]);
    const { flows: there } = await plan(instanceSpec(natService('dns', [backend('b')], at('192.0.2.2'))));
    assert.deepEqual([there.stay, there.move, there.cut], [7, 0, 5]);
  });

  it('of mode dsr stay with a backend of their own service alone', async (t) => {
    const dsr = (name: string, ...hosts: string[]) =>
      instanceSpec(
        service(
          name,
          hosts.map((host) => ({ name: host, host, port: 0, weight: 1 })),
          { mode: 'dsr', balance: 'maglev', listen: [{ protocol: 'tcp', host: '192.0.2.1', port: 80 }] },
        ),
      );
    const { plan, tunnelled } = await serving(t, dsr('web', '10.0.0.1', '10.0.0.2'));
    tunnelled[0]!.grouped.push({ ...flows(5, 'tcp', '10.0.0.1'), backend: '10.0.0.1' });
    const fates = async (next: InstanceSpec) => {
      const { stay, cut } = (await plan(next)).flows;
      return [stay, cut];
    };
    assert.deepEqual(await fates(dsr('web', '10.0.0.1')), [5, 0]);
    assert.deepEqual(await fates(dsr('web', '10.0.0.2')), [0, 5]);
    assert.deepEqual(await fates(dsr('other', '10.0.0.1')), [0, 5]);
  });

  it('do not count where an earlier reload has taken their backend out', async (t) => {
    const { plan, opened } = await serving(t, instanceSpec(natService('nat', [backend('a')])));
    opened[0]!.grouped.push(flows(5, 'tcp', '10.0.0.1'), flows(7, 'tcp', '10.0.0.9'));
    assert.equal((await plan(instanceSpec(natService('nat', [backend('b')])))).flows.live, 5);
  });
});
