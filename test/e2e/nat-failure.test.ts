/**
 * What becomes of clients when sluice itself fails, in the network of nat-support.ts: its process is stopped or killed,
 * one of its workers dies or is stopped by a debugger. The balancer has servers of its own at the VIP's address, where
 * packets come that bypass sluice.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import workerThreads, { Worker } from 'node:worker_threads';
import { formatHostPort } from '../../lib/model/address.ts';
import { inside } from '../support/inside-netns.ts';
import { busiestThread, isStopped } from '../support/proc.ts';
import { missing } from '../support/tools.ts';
import { wrk } from '../support/wrk.ts';
import type { ClientReport } from './fixtures/nat-clients.ts';
import { commandLine, edgeConfiguration, startClients } from './nat-cli.ts';
import {
  backends,
  families,
  natNetwork,
  startDatapath,
  startOrigin,
  startProgram,
  vipOf,
} from './nat-support.ts';
import { until } from './support.ts';

/** Every thread that is started from now on, so that it can be killed behind the packet path's back. */
const threads: Worker[] = [];
workerThreads.Worker = class extends Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    threads.push(this);
  }
};
syncBuiltinESMExports();

const port = 8080;
const stopThread = fileURLToPath(new URL('./fixtures/stop-thread.py', import.meta.url));

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const cli = commandLine();
  before(async () => {
    for (const name of [...backends, 'balancer'] as const) await startOrigin(network, name);
  });
  after(() => cli.directory.remove());

  for (const { version, own, backend, url } of families) {
    const whoAnswers = (): string =>
      client.run(`curl -gsS --max-time 2 ${url(own, port)}/ 2>&1 || true`).trim();
    /** More packets to the VIP than wait in a queue. */
    const fillQueue = (): string => client.run(`ping -q -W 1 -l 40000 -c 40000 ${own} || true`);

    for (const [policy, verb, answer] of [
      ['drop', 'drops', /timed out/],
      ['bypass', 'lets pass', /^balancer$/],
    ] as const) {
      it(`${verb} IPv${version} packets with --on-failure ${policy}, be the process stopped or killed`, async () => {
        const service = [formatHostPort(own, port), formatHostPort(backend.one, port), '--check', 'none'];
        await using failing = await cli.start('nat', ...service, '--on-failure', policy);
        assert.equal(whoAnswers(), 'one');
        failing.kill('SIGSTOP');
        await until('every thread stands still', () => isStopped(failing.pid));
        assert.match(fillQueue(), policy === 'drop' ? / 0 received/ : / 7\d\d\d received/);
        assert.match(whoAnswers(), answer);
        failing.kill('SIGCONT');
        assert.equal(whoAnswers(), 'one');
        failing.kill('SIGKILL');
        await failing.exited;
        assert.match(whoAnswers(), answer);
        await using _next = await cli.start('nat', ...service);
        assert.equal(whoAnswers(), 'one');
      });
    }
  }

  it('replaces a worker that dies, and breaks no connection', { skip: missing('wrk') }, async () => {
    const datapath = await startDatapath(families.map((family) => vipOf(family, 'tcp', 80, 8080)));
    try {
      const loading = families.map(({ url, vip }) =>
        wrk(`${url(vip, 80)}/`, { seconds: 8, connections: 32, namespace: client.namespace }),
      );
      await until('it is under way', () => datapath.flowCount() >= 64);
      await threads.at(-1)!.terminate();
      for (const { errors, requests } of await Promise.all(loading)) {
        // What is slow on a busy machine is not broken.
        const { timeout, ...broken } = errors;
        assert.deepEqual(broken, { connect: 0, read: 0, write: 0, status: 0 }, `${timeout} were slow`);
        assert.ok(requests > 100, `${requests} requests`);
      }
      assert.deepEqual(
        datapath.view().workers.map(({ restarts }) => restarts),
        [1],
      );
    } finally {
      await datapath.stop();
    }
  });

  it('replaces a worker that hangs with all its flows kept, while the other worker goes on', async () => {
    const file = cli.directory.write('edge.yaml', edgeConfiguration({ workers: 2 }));
    await using instance = await cli.start('up', '-f', file, '--drain', '100ms');
    await using clients = await startClients(network, 24);
    const worker = String(await busiestThread(instance.pid, 500));
    const release = await startProgram(network, 'balancer', 'python3', [stopThread, worker], (child) =>
      once(child.stdout!, 'data'),
    );
    const before = await clients.reports();
    await until('it is noticed', () => instance.stderr().includes('A worker hangs and is ended'));
    const during = await clients.reports();
    await release();
    await until('it is replaced', () => instance.stderr().includes('took over the flows of another'));
    await until('all go on', async () => {
      const now = answersOf(await clients.reports());
      return answersOf(during).every((answers, at) => now[at]! > answers + 20);
    });
    const wentOn = answersOf(during).filter((answers, at) => answers > answersOf(before)[at]! + 20);
    const share = wentOn.length / answersOf(during).length;
    assert.ok(share > 0.2 && share < 0.8, `${share} of the clients were of the other worker`);
    for (const { busy, quiet, udp } of await clients.reports()) {
      for (const { end } of [...busy, ...quiet]) assert.equal(end, undefined);
      for (const { backends } of udp) assert.equal(backends.length, 1);
    }
  });
}

/** How many answers each client has had that asks. */
function answersOf(reports: readonly ClientReport[]): readonly number[] {
  return reports.flatMap(({ busy, udp }) => [...busy, ...udp].map(({ answers }) => answers));
}
