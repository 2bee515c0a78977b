/** Running instances on real ports of the loopback, and peers for them; all are gone when their test ends. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../lib/daemon/clock.ts';
import type { OpenDatapaths } from '../../lib/daemon/datapath.ts';
import { Instance } from '../../lib/daemon/instance.ts';
import type { Clock } from '../../lib/model/clock.ts';
import { type Log, silentLog } from '../../lib/model/log.ts';
import {
  type BackendSpec,
  defaultDrainMs,
  defaultDsrPathSpec,
  defaultDsrSpec,
  defaultHashSeed,
  defaultNatPathSpec,
  defaultNatSpec,
  defaultProxySpec,
  type InstanceSpec,
  type Listen,
  type ServiceSpec,
} from '../../lib/model/spec.ts';
import { tickMs } from '../../lib/proxy/context.ts';
import { dial, NetBackend, type NetPeer, until } from '../proxy/socket/node-support.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Where TCP is listened for; port 0 is any. */
export function tcp(port = 0): Listen {
  return { protocol: 'tcp', host: '127.0.0.1', port };
}

export function udp(port = 0): Listen {
  return { protocol: 'udp', host: '127.0.0.1', port };
}

/** A backend of the loopback, called by its port unless it has a name. */
export function to(port: number, name = `${port}`): BackendSpec {
  return { name, host: '127.0.0.1', port, weight: 1 };
}

/** A service without checks, on any port. */
export function service(
  name: string,
  backends: readonly BackendSpec[],
  differing: Partial<ServiceSpec> = {},
): ServiceSpec {
  return {
    name,
    mode: 'proxy',
    listen: [tcp()],
    balance: 'round-robin',
    backends,
    check: { type: 'none' },
    whenAllDown: 'reject',
    proxy: defaultProxySpec,
    nat: defaultNatSpec,
    dsr: defaultDsrSpec,
    ...differing,
  };
}

export function instanceSpec(...services: readonly ServiceSpec[]): InstanceSpec {
  return {
    name: 'edge',
    drainMs: defaultDrainMs,
    hashSeed: defaultHashSeed,
    nat: defaultNatPathSpec,
    dsr: defaultDsrPathSpec,
    services,
  };
}

export interface Running {
  readonly instance: Instance;
  /** Time for whatever waits; what polls, polls in real time. */
  readonly clock: ManualClock;
  /** Reloads with these services in place of those before. */
  reload(...services: readonly ServiceSpec[]): ReturnType<Instance['reload']>;
  /** The port that the service listens on; of its first listener, or the one after. */
  port(serviceName: string, listener?: number): number;
}

/** For instances without a service that asks for a packet path. */
export const noDatapaths: OpenDatapaths = {
  nat: () => assert.fail('no service asks for a packet path'),
  dsr: () => assert.fail('no service asks for a packet path'),
};

/** An instance that has not started. */
export function newInstance(
  t: TestContext,
  spec: InstanceSpec,
  surroundings: { clock?: Clock; log?: Log; reread?: () => Promise<InstanceSpec> } = {},
): Instance {
  const { clock = systemClock, log = silentLog, reread } = surroundings;
  const instance = new Instance({
    spec,
    ...(reread === undefined ? {} : { reread }),
    surroundings: { clock, random: Math.random, log },
    openDatapaths: noDatapaths,
  });
  t.after(() => instance.close());
  return instance;
}

/** An instance that serves these. */
export async function running(t: TestContext, ...services: readonly ServiceSpec[]): Promise<Running> {
  const clock = new ManualClock();
  let next = instanceSpec(...services);
  const instance = newInstance(t, next, { clock, reread: async () => next });
  await instance.start();
  return {
    instance,
    clock,
    reload(...others) {
      next = instanceSpec(...others);
      return instance.reload();
    },
    port(serviceName, listener = 0) {
      const found = instance.status().services.find(({ name }) => name === serviceName);
      return Number(found!.listen.split(',')[listener]!.split(':').at(-1));
    },
  };
}

/** Resolves after every instance has looked at its clock, which it does in real time. */
export function aTick(): Promise<void> {
  return sleep(2 * tickMs);
}

/** A backend that greets with its name. */
export async function greeter(t: TestContext, name: string): Promise<NetBackend> {
  const backend = await NetBackend.start((peer) => peer.send(name));
  t.after(() => backend[Symbol.asyncDispose]());
  return backend;
}

export function connectTo(t: TestContext, port: number): NetPeer {
  const peer = dial(port);
  t.after(() => peer.socket.destroy());
  return peer;
}

/** Who answers at `port`: the name of a greeter, or the code of an error. */
export async function whoAnswers(t: TestContext, port: number): Promise<string> {
  const peer = connectTo(t, port);
  await until(() => peer.text() !== '' || peer.error !== null || peer.gotFin());
  peer.reset();
  return peer.text() || (peer.error ?? 'FIN');
}

/** A connection through the instance that has been greeted, and can tell whether it is still whole. */
export async function conversation(t: TestContext, port: number, backend: NetBackend) {
  const client = connectTo(t, port);
  const known = backend.accepted.length;
  await until(() => client.text() !== '' && backend.accepted.length > known);
  const server = backend.accepted.at(-1)!;
  let said = 0;
  return {
    client,
    server,
    /** Carries one more byte each way. */
    async goesOn(): Promise<void> {
      const [there, back] = [server.bytes().length + 1, client.bytes().length + 1];
      said++;
      client.send(String(said % 10));
      await until(() => server.bytes().length === there);
      server.send(String(said % 10));
      await until(() => client.bytes().length === back);
    },
    async ends(): Promise<void> {
      await until(() => client.gotFin() || client.error !== null);
    },
  };
}
