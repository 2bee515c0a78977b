/** What mode dsr makes of a service: its VIPs, backends and flows, over a packet path that only takes notes. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Instance } from '../../lib/daemon/instance.ts';
import type { DsrSettings, DsrVip } from '../../lib/datapath/dsr/settings.ts';
import { silentLog } from '../../lib/model/log.ts';
import {
  type BackendSpec,
  defaultCheckTiming,
  type InstanceSpec,
  type Listen,
  type ServiceSpec,
} from '../../lib/model/spec.ts';
import { rest } from '../proxy/socket/node-support.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryDatapath } from './memory-datapath.ts';
import { instanceSpec, noDatapaths, service } from './support.ts';

type DsrPath = MemoryDatapath<DsrSettings, DsrVip>;

const vip: Listen = { protocol: 'tcp', host: '192.0.2.1', port: 80 };

function backend(host: string): BackendSpec {
  return { name: host, host, port: 0, weight: 1 };
}

function dsrService(differing: Partial<ServiceSpec> = {}): ServiceSpec {
  const backends = [backend('10.0.0.1'), backend('fd00::1')];
  return service('web', backends, { mode: 'dsr', balance: 'maglev', listen: [vip], ...differing });
}

/** An instance whose packet path is at hand. */
async function serving(t: TestContext, spec: InstanceSpec) {
  const clock = new ManualClock();
  const opened: DsrPath[] = [];
  const instance = new Instance({
    spec,
    surroundings: { clock, random: Math.random, log: silentLog },
    openDatapaths: {
      ...noDatapaths,
      async dsr(settings) {
        opened.push(new MemoryDatapath(settings));
        return opened.at(-1)!;
      },
    },
  });
  t.after(() => instance.close());
  await instance.start();
  return { instance, clock, path: opened[0]! };
}

describe('an instance with a service of mode dsr', () => {
  it('opens a packet path as the configuration says', async (t) => {
    const { path } = await serving(t, {
      ...instanceSpec(
        dsrService({ dsr: { encapsulation: 'ipip', outerSource: ['10.7.0.0/24', 'fd07::1'] } }),
      ),
      dsr: {
        workers: 2,
        probePorts: [1_000, 2_000],
        newFlows: 7,
        maxFlows: 4_096,
        onFailure: 'bypass',
        timeouts: {},
      },
    });
    const { timeouts: _, directory: __, ...settings } = path.settings;
    assert.deepEqual(settings, {
      name: 'edge',
      workers: 2,
      probePorts: [1_000, 2_000],
      newFlows: 7,
      maxFlows: 4_096,
      onFailure: 'bypass',
      addVip: undefined,
      hashSeed: '00000000000000000000000000000000',
    });
    assert.deepEqual(path.vips, [
      {
        protocol: 'tcp',
        address: '192.0.2.1',
        port: 80,
        service: 'web',
        balance: 'maglev',
        whenAllDown: 'reject',
        encapsulation: 'ipip',
        outerSource: ['10.7.0.0/24', 'fd07::1'],
        backends: [
          { name: '10.0.0.1', address: '10.0.0.1', port: 0, weight: 1, up: true },
          { name: 'fd00::1', address: 'fd00::1', port: 0, weight: 1, up: true },
        ],
      },
    ]);
  });

  it('shows backends by their addresses, and what it cannot see of flows as unknown', async (t) => {
    const { instance, path } = await serving(t, instanceSpec(dsrService()));
    path.list.push({
      protocol: 'tcp',
      service: 'web',
      client: '198.51.100.7:4000',
      vip: '192.0.2.1:80',
      backend: '10.0.0.1',
      state: 'established',
      trackedState: 'established',
      ageMs: 5,
      idleMs: 5,
      packetsIn: 3,
      packetsOut: 0,
      bytesIn: 99,
      bytesOut: 0,
    });
    const [flow] = instance.flows({ limit: 10 }).flows;
    assert.deepEqual([flow!.mode, flow!.packetsIn, flow!.packetsOut, flow!.bytesOut], ['dsr', 3, null, null]);
    assert.deepEqual(
      instance.backends().map(({ address }) => address),
      ['10.0.0.1', 'fd00::1'],
    );
    for (const { packetsOut, bytesOut } of [...instance.status().services, ...instance.backends()]) {
      assert.deepEqual([packetsOut, bytesOut], [null, null]);
    }
    instance.patchBackend(undefined, 'fd00::1', { state: 'draining' });
    assert.equal(instance.backends()[1]!.state, 'draining');
  });

  it('checks nothing before packets can go where checks lead', async (t) => {
    const clock = new ManualClock();
    let open = (): void => undefined;
    const opening = new Promise<void>((resolve) => {
      open = resolve;
    });
    const instance = new Instance({
      spec: instanceSpec(dsrService({ check: { ...defaultCheckTiming, type: 'tcp' } })),
      surroundings: { clock, random: Math.random, log: silentLog },
      openDatapaths: {
        ...noDatapaths,
        async dsr(settings) {
          const path: DsrPath = new MemoryDatapath(settings);
          path.obstacle = () => opening;
          return path;
        },
      },
    });
    t.after(() => instance.close());
    const started = instance.start();
    await rest();
    assert.equal(clock.pendingTimers, 0);
    open();
    await started;
    assert.equal(clock.pendingTimers, 2);
  });

  it('is refused where a name turns out to be an address that no tunnel leads to', async (t) => {
    await assert.rejects(
      serving(t, instanceSpec(dsrService({ backends: [backend('localhost')] }))),
      /^SluiceError: backend 127\.0\.0\.1 cannot be reached/,
    );
  });
});
