/**
 * Backends of mode dsr that are killed, drained and added, and a balancer that starts again, under live conversations of
 * clients with every combination of families, in the network of dsr-support.ts. The daemon finds out by its own checks.
 *
 *   busy, quiet and UDP clients ──▶ sluice up (mode dsr) ══▶ one, two, three
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { ControlClient } from '../../lib/control/client.ts';
import type { BackendView } from '../../lib/model/view.ts';
import type { Network } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import {
  type addressOf,
  edgeConfiguration,
  type Peers,
  startPeers,
  startTunnelEnd,
  untilWell,
  vips,
} from './dsr-support.ts';
import type { ClientReport } from './fixtures/nat-clients.ts';
import { type Clients, startClients } from './nat-cli.ts';
import { until } from './support.ts';

/** Of each of three kinds, at each of four VIPs: 204 flows. */
const clientsOfEachKind = 17;

/** Patient: a check that fails on a busy machine would take a backend's connections with it. */
const check = '{ type: http, path: /, interval: 200ms, timeout: 3s, fall: 2, rise: 1 }';

/** The tests, for a file on the balancer. */
export function backendTests(network: Network, workers: number): void {
  describe(`under 204 live flows, with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
    const directory = scratch();
    const control = join(directory.path, 'edge.sock');
    let file: string;
    let peers: Peers;
    let edge: Sluice;
    let clients: Clients;

    const startEdge = async (): Promise<void> => {
      edge = await sluice(['up', '-f', file, '--control', control, '--drain', '100ms']);
      await untilWell(control);
    };
    const write = (...names: readonly (keyof typeof addressOf)[]): void => {
      file = directory.write('edge.yaml', edgeConfiguration({ names, workers, check }));
    };
    const ask = async <Result>(of: (client: ControlClient) => Promise<Result>): Promise<Result> => {
      const client = new ControlClient(control);
      try {
        return await of(client);
      } finally {
        await client.close();
      }
    };
    const untilAll = (name: string, what: string, holds: (backend: BackendView) => boolean): Promise<void> =>
      until(`${name} is ${what} everywhere`, async () =>
        (await ask((client) => client.backends())).filter((each) => each.name === name).every(holds),
      );
    /** Everybody who talks has had an answer since `before`, and nobody has lost a connection who is not `excused`. */
    const allGoOn = async (
      before: readonly ClientReport[],
      excused: (backend: string) => boolean = () => false,
    ): Promise<void> => {
      await clients.until('all go on', ({ busy, udp }, vip) =>
        [
          ...busy.map(
            ({ backend, answers, end }, at) =>
              excused(backend) || (end === undefined && answers > before[vip]!.busy[at]!.answers),
          ),
          ...udp.map(({ answers }, at) => answers > before[vip]!.udp[at]!.answers),
        ].every(Boolean),
      );
      for (const { busy, quiet } of await clients.reports()) {
        for (const { backend, end } of [...busy, ...quiet]) {
          if (!excused(backend)) assert.equal(end, undefined, `a connection with ${backend}`);
        }
      }
    };

    before(async () => {
      peers = await startPeers(network, ['one', 'two', 'three'], 'gre');
    });
    beforeEach(async () => {
      write('one', 'two');
      await startEdge();
      clients = await startClients(network, clientsOfEachKind, vips);
    });
    afterEach(async () => {
      await clients[Symbol.asyncDispose]();
      await edge.stop();
    });
    after(async () => {
      await peers.stop();
      directory.remove();
    });

    it('a backend that is drained keeps what it has and gets nothing new', async () => {
      const before = await clients.reports();
      assert.equal((await runSluice(['drain', 'one', '--control', control])).code, 0);
      const newcomers = await startClients(network, 4, vips);
      try {
        for (const { busy, quiet, udp } of await newcomers.reports()) {
          const served = [
            ...busy.map(({ backend }) => backend),
            ...quiet.map(({ backend }) => backend),
            ...udp.flatMap(({ backends }) => backends),
          ];
          assert.deepEqual(new Set(served), new Set(['two']));
        }
      } finally {
        await newcomers[Symbol.asyncDispose]();
      }
      await allGoOn(before);
    });

    it('a backend that is added takes from nobody', async () => {
      const before = await clients.reports();
      write('one', 'two', 'three');
      await ask((client) => client.reload());
      await untilWell(control);
      await allGoOn(before);
      for (const { udp } of await clients.reports()) {
        for (const { backends } of udp) assert.equal(backends.length, 1, `${backends}`);
      }
    });

    it('a backend whose tunnel dies takes its own connections with it, and no other', async () => {
      const before = await clients.reports();
      const end = peers.ends.get('one')!;
      end.kill('SIGKILL');
      await end.exited;
      await untilAll(
        'one',
        'dead',
        ({ state, health }) => state === 'down' && /^tunnel dead/.test(health.last),
      );
      await allGoOn(before, (backend) => backend === 'one');
      await clients.until('all datagrams go to two', ({ udp }) =>
        udp.every(({ backends }) => backends.at(-1) === 'two'),
      );
      (peers.ends as Map<string, Sluice>).set('one', await startTunnelEnd(network, 'one', 'gre'));
      await untilAll('one', 'well', ({ state }) => state === 'up');
    });

    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      it(`a balancer that ends by ${signal} and starts again breaks nothing`, async () => {
        edge.kill(signal);
        await edge.exited;
        const before = await clients.reports();
        await startEdge();
        await allGoOn(before);
        for (const { udp } of await clients.reports()) {
          for (const { backends } of udp) assert.equal(backends.length, 1, `${backends}`);
        }
      });
    }
  });
}
