/**
 * Backends that are drained, removed and added under load, in the network of nat-support.ts: nobody's connection breaks.
 *
 *   wrk, over IPv4 and over IPv6 ──▶ sluice up (mode nat) ──▶ one   comes and goes
 *                                                         └─▶ two
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { formatHostPort } from '../../lib/model/address.ts';
import { inside } from '../support/inside-netns.ts';
import type { Sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { type HttpAnswers, wrk } from '../support/wrk.ts';
import { commandLine } from './nat-cli.ts';
import { backends, families, natNetwork, startOrigin } from './nat-support.ts';

const nothingBroken = { connect: 0, read: 0, write: 0, status: 0 };
const addresses = (name: 'one' | 'two'): readonly string[] =>
  families.map(({ backend }) => formatHostPort(backend[name], 8080));

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const { namespace } = network.host('client');
  const urls = families.map(({ url, vip }) => `${url(vip, 80)}/`);
  /** Three seconds of it in both families, with 32 connections each that are kept. */
  const load = (): Promise<readonly HttpAnswers[]> =>
    Promise.all(urls.map((url) => wrk(url, { seconds: 3, connections: 32, namespace })));
  /** Who takes new connections, of either family. */
  const whoAnswers = (times: number): ReadonlySet<string> => {
    const get = urls.map((url) => `curl -gsS --max-time 5 ${url}`).join(' && ');
    return new Set(
      Array.from({ length: times }, () => network.host('client').run(get).trim().split('\n')).flat(),
    );
  };

  before(async () => {
    for (const name of backends) await startOrigin(network, name);
  });

  for (const workers of [1, 2]) {
    describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, { skip: missing('wrk') }, () => {
      const cli = commandLine();
      const write = (names: readonly ('one' | 'two')[]): string =>
        cli.directory.write(
          'edge.yaml',
          `nat: { workers: ${workers} }
services:
  - name: web
    mode: nat
    listen: ${JSON.stringify(families.map(({ vip }) => formatHostPort(vip, 80)))}
    backends: ${JSON.stringify(names.flatMap(addresses))}
`,
        );
      let instance: Sluice;
      before(async () => {
        instance = await cli.start('up', '-f', write(backends), '--drain', '30s');
        for (const address of backends.flatMap(addresses)) await cli.untilBackend(address, 'up');
      });
      after(async () => {
        instance.kill('SIGINT');
        await instance.stop();
        cli.directory.remove();
      });

      const connectionsOfOne = async (): Promise<readonly number[]> =>
        (await cli.backends())
          .filter(({ address }) => addresses('one').includes(address))
          .map(({ flows }) => flows);
      const withoutErrors = async (loading: Promise<readonly HttpAnswers[]>): Promise<void> => {
        for (const { errors, requests } of await loading) {
          // What is slow on a busy machine is not broken.
          const { timeout, ...broken } = errors;
          assert.deepEqual(broken, nothingBroken, `${timeout} were slow`);
          assert.ok(requests > 100, `${requests} requests`);
        }
      };

      it('a backend that is drained keeps its connections and gets no more, until it is enabled', async () => {
        const loading = load();
        await delay(500);
        for (const address of addresses('one')) await cli.tell('drain', address);
        assert.deepEqual(whoAnswers(8), new Set(['two']));
        for (const flows of await connectionsOfOne()) assert.ok(flows > 0, 'kept its connections');
        for (const address of addresses('one')) await cli.tell('enable', address);
        assert.deepEqual(whoAnswers(15), new Set(backends));
        await withoutErrors(loading);
      });

      it('a backend that a reload removes keeps its connections, and one that it adds takes none away', async () => {
        const loading = load();
        await delay(500);
        write(['two']);
        await cli.tell('reload');
        assert.deepEqual(whoAnswers(8), new Set(['two']));
        for (const flows of await connectionsOfOne()) assert.ok(flows > 0, 'kept its connections');
        write(backends);
        await cli.tell('reload');
        for (const address of addresses('one')) await cli.untilBackend(address, 'up');
        assert.deepEqual(whoAnswers(15), new Set(backends));
        await withoutErrors(loading);
      });
    });
  }
}
