/**
 * What `sluice nat` measures of itself, held against what was done to it, in the network of nat-support.ts. Every
 * scrape is read by a reader that forgives nothing.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseExposition } from '../metrics/parse-exposition.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, sluice } from '../support/sluice.ts';
import { natNetwork, startOrigin } from './nat-support.ts';

const vip = '10.9.0.1';
const one = '10.2.0.2';
const metricsAt = '127.0.0.1:9100';

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const balancer = network.host('balancer');
  const directory = scratch();

  before(async () => {
    await startOrigin(network, 'one');
  });
  after(() => directory.remove());

  /** The value of a series, the sum where the labels given fit several; undefined if there is none. */
  async function read(
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<number | undefined> {
    const text = await (await fetch(`http://${metricsAt}/metrics`)).text();
    const family = parseExposition(text).find((each) => each.name === name);
    const samples = (family?.samples ?? []).filter((sample) =>
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    return samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0);
  }

  async function until(wanted: () => Promise<boolean>): Promise<void> {
    const signal = AbortSignal.timeout(15_000);
    while (!(await wanted())) await delay(50, undefined, { signal });
  }

  const start = (...flags: string[]) => {
    const metrics = ['--metrics', metricsAt, '--name', `metrics-${process.pid}`];
    return sluice(['nat', `${vip}:80`, `${one}:8080`, ...metrics, ...flags]);
  };

  describe('the metrics of sluice nat', () => {
    it('count packets, flows and checks as they were', async () => {
      await using _ = await start('--workers', '2', '--check-interval', '100ms');
      for (let request = 0; request < 20; request++) client.run(`curl -sS --max-time 5 http://${vip}:80/`);
      const service = { service: `metrics-${process.pid}` };
      // What the queues have handed over, once the last acknowledgement is through; they tell once a second.
      const counted = async () => ({
        received: (await read('sluice_service_received_packets_total', service))!,
        sent: (await read('sluice_service_sent_packets_total', service))!,
      });
      await until(async () => {
        const { received, sent } = await counted();
        return (await read('sluice_worker_packets_total')) === received + sent;
      });
      const { received, sent } = await counted();
      assert.ok(received >= 20 * 4 && sent >= 20 * 3, `${received} and ${sent}`);
      assert.equal(await read('sluice_backend_received_packets_total'), received);
      assert.equal(await read('sluice_service_connections_total', service), 20);
      assert.equal(await read('sluice_worker_flows'), 20);
      assert.equal(await read('sluice_backend_source_ports'), 4_536);
      assert.equal(await read('sluice_worker_restarts_total'), 0);
      assert.equal(await read('sluice_path_half_open_flows', service), 0);
      assert.equal(await read('sluice_worker_queue_dropped_packets_total'), 0);
      assert.equal(await read('sluice_worker_queue_errors_total'), 0);
      assert.ok((await read('sluice_worker_queue_calls_total', { call: 'receive' }))! > 0);
      await until(async () => (await read('sluice_backend_checks_total', { result: 'passed' }))! >= 5);
      const tookSeconds = (await read('sluice_backend_check_duration_seconds'))!;
      assert.ok(tookSeconds > 0 && tookSeconds < 5, String(tookSeconds));
    });

    it('tell that a backend does not answer', async () => {
      const checks = ['--check-interval', '100ms', '--check-timeout', '100ms'];
      await using _ = await start(...checks, '--when-all-down', 'last-known', '--drain', '0s');
      balancer.run(`ip route add blackhole ${one}/32`);
      try {
        await until(async () => (await read('sluice_backend_up')) === 0);
        client.run(`curl -s --max-time 1 http://${vip}:80/ || true`);
        assert.ok((await read('sluice_backend_checks_total', { result: 'failed' }))! >= 1);
        assert.equal(await read('sluice_path_half_open_flows'), 1);
        assert.equal(await read('sluice_worker_half_open_flows'), 1);
        assert.equal(await read('sluice_backend_check_duration_seconds'), undefined);
      } finally {
        balancer.run(`ip route delete blackhole ${one}/32`);
      }
    });

    it('tell what the kernel has dropped, and what waits, while nobody takes it', async () => {
      await using running = await start();
      running.kill('SIGSTOP');
      // More than wait in a queue.
      client.run(`ping -q -W 1 -l 40000 -c 40000 ${vip} >/dev/null || true`);
      running.kill('SIGCONT');
      await until(
        async () => (await read('sluice_worker_queue_dropped_packets_total', { reason: 'queue-full' }))! > 0,
      );
      await until(async () => (await read('sluice_worker_queue_waiting_packets')) === 0);
    });

    it('tell of reloads, and that all workers have taken the tables', async () => {
      const write = (backend: string) =>
        directory.write(
          'edge.yaml',
          `nat: { workers: 2 }
metrics: "${metricsAt}"
services: [{ name: web, mode: nat, listen: "${vip}:80", backends: ["${backend}:8080"] }]
`,
        );
      const file = write(one);
      const control = `${directory.path}/control.sock`;
      await using _ = await sluice(['up', '-f', file, '--control', control]);
      assert.equal(await read('sluice_last_reload_successful'), 1);
      assert.equal(await read('sluice_last_reload_timestamp_seconds'), undefined);
      const before = (await read('sluice_path_generation'))!;
      write('10.3.0.2');
      assert.equal((await runSluice(['reload', '--control', control])).code, 0);
      const after = (await read('sluice_path_generation'))!;
      assert.ok(after > before);
      for (const worker of ['0', '1']) {
        await until(async () => (await read('sluice_worker_generation', { worker })) === after);
      }
      write('not an address');
      assert.equal((await runSluice(['reload', '--control', control])).code, 3);
      assert.deepEqual(
        [
          await read('sluice_reloads_total', { result: 'applied' }),
          await read('sluice_reloads_total', { result: 'refused' }),
        ],
        [1, 1],
      );
      assert.equal(await read('sluice_last_reload_successful'), 0);
      const agoSeconds = Date.now() / 1e3 - (await read('sluice_last_reload_timestamp_seconds'))!;
      assert.ok(agoSeconds >= 0 && agoSeconds < 15, String(agoSeconds));
    });
  });
}
