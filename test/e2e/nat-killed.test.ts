/**
 * Backends that are killed, and such as answer no more, under the load of clients of both families, in the network of
 * nat-support.ts. The daemon finds out by its own checks.
 *
 *   busy, quiet and UDP clients ──▶ sluice up (mode nat) ──▶ one   killed: its kernel resets and refuses
 *                                                        └─▶ two   stopped: its kernel acknowledges, nobody answers
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { formatHostPort } from '../../lib/model/address.ts';
import type { Server } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import type { Sluice } from '../support/sluice.ts';
import {
  type Clients,
  commandLine,
  edgeConfiguration,
  edgePorts,
  startClients,
  startOriginServer,
} from './nat-cli.ts';
import { type BackendName, backends, families, natNetwork } from './nat-support.ts';
import { until } from './support.ts';

const clientsOfEachKind = 12;

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  for (const [workers, whenDown] of [
    [2, 'reset'],
    [1, 'drop'],
  ] as const) {
    describe(`with ${workers} worker${workers === 1 ? '' : 's'}, and when-down: ${whenDown}`, () => {
      const cli = commandLine();
      const origins = new Map<BackendName, Server>();
      const revive = async (name: BackendName): Promise<void> => {
        origins.set(name, await startOriginServer(network, name));
      };
      let instance: Sluice;
      let clients: Clients;

      before(async () => {
        await Promise.all(backends.map(revive));
        const file = cli.directory.write('edge.yaml', edgeConfiguration({ workers, whenDown }));
        instance = await cli.start('up', '-f', file, '--drain', '100ms');
        for (const name of backends) await becomes(name, 'up');
        clients = await startClients(network, clientsOfEachKind);
      });
      after(async () => {
        await clients[Symbol.asyncDispose]();
        await instance.stop();
        for (const origin of origins.values()) await origin.stop();
        cli.directory.remove();
      });

      const becomes = async (name: BackendName, state: 'up' | 'down'): Promise<void> => {
        for (const { backend } of families) {
          for (const port of Object.values(edgePorts)) {
            await cli.untilBackend(formatHostPort(backend[name], port), state);
          }
        }
      };
      it('has clients of every kind on both backends', async () => {
        for (const { busy, quiet, udp } of await clients.reports()) {
          for (const kind of [busy, quiet]) {
            assert.deepEqual(new Set(kind.map(({ backend }) => backend)), new Set(backends));
          }
          assert.deepEqual(new Set(udp.flatMap(({ backends }) => backends)), new Set(backends));
        }
      });

      it('loses with a backend that is killed its own connections and no other, and moves UDP flows', async () => {
        const before = await clients.reports();
        origins.get('one')!.kill('SIGKILL');
        await becomes('one', 'down');
        await clients.until('all datagrams go to two', ({ udp }) =>
          udp.every(({ backends }) => backends.at(-1) === 'two'),
        );
        await clients.until('two goes on', ({ busy }, index) =>
          busy.every(
            ({ backend, answers }, at) =>
              backend === 'one' || answers > before[index]!.busy[at]!.answers + 20,
          ),
        );
        for (const { busy, quiet, udp } of await clients.reports()) {
          for (const { backend, end } of [...busy, ...quiet]) {
            if (backend === 'two') assert.equal(end, undefined);
            else assert.match(end ?? 'none', /^(FIN|RST)$/);
          }
          for (const { backends, lost } of udp) {
            if (backends[0] === 'two') assert.deepEqual([backends.length, lost], [1, 0]);
          }
        }
      });

      it('gives new clients to it once it is back', async () => {
        await revive('one');
        await becomes('one', 'up');
        await using later = await startClients(network, clientsOfEachKind);
        for (const { busy } of await later.reports()) {
          assert.deepEqual(new Set(busy.map(({ backend }) => backend)), new Set(backends));
        }
      });

      if (whenDown === 'reset') {
        it('resets the connections of one that is stopped, at both ends, whether or not these say anything', async () => {
          origins.get('two')!.kill('SIGSTOP');
          await becomes('two', 'down');
          await clients.until('all of two are reset', ({ busy, quiet }) =>
            [...busy, ...quiet].every(({ backend, end }) => backend === 'one' || end === 'RST'),
          );
          const established = `ss -Htn state established sport = :${edgePorts.tcp}`;
          await until('two knows', () => network.host('two').run(established) === '');
          origins.get('two')!.kill('SIGCONT');
          await becomes('two', 'up');
        });
      }

      if (whenDown === 'drop') {
        it('lets the connections of one that is stopped wait, and go on once it does', async () => {
          const before = await clients.reports();
          origins.get('two')!.kill('SIGSTOP');
          await becomes('two', 'down');
          await clients.until('datagrams go to one', ({ udp }) =>
            udp.every(({ backends }) => backends.at(-1) === 'one'),
          );
          origins.get('two')!.kill('SIGCONT');
          await becomes('two', 'up');
          await clients.until('two goes on', ({ busy }, index) =>
            busy.every(
              ({ backend, answers }, at) =>
                backend === 'one' || answers > before[index]!.busy[at]!.answers + 20,
            ),
          );
          for (const { busy, quiet } of await clients.reports()) {
            const ends = [...busy, ...quiet].filter(({ backend }) => backend === 'two').map(({ end }) => end);
            assert.deepEqual(new Set(ends), new Set([undefined]));
          }
        });
      }
    });
  }
}
