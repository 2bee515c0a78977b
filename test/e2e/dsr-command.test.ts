/** `sluice dsr` as its users start it, in the network of dsr-support.ts: from the first packet to the machine put back. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BackendView, FlowView } from '../../lib/model/view.ts';
import { readCapture, startCapture } from '../support/capture.ts';
import { run } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import {
  backends,
  balancerState,
  dsrNetwork,
  type Peers,
  startPeers,
  startTunnelEnd,
  url,
  vips,
} from './dsr-support.ts';
import { startOriginServer } from './nat-cli.ts';
import { until } from './support.ts';

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const router = network.host('router');
  const here = (command: string): string => execFileSync('sh', ['-c', command], { encoding: 'utf8' });
  const machine = (): string => balancerState(here);
  const get = (at: string): string => client.run(`curl -gsS --max-time 10 ${url(at)}/`).trim();
  const directory = scratch();
  let peers: Peers;

  before(async () => {
    peers = await startPeers(network, backends, 'gre');
    await until('addresses are settled', () => !machine().includes('tentative'));
  });
  after(async () => {
    await peers.stop();
    directory.remove();
  });

  const start = (...args: string[]): Promise<Sluice> => sluice(['dsr', ...args]);
  const vip = '192.0.2.10';
  const one = [`${vip}:8080`, '10.3.0.2', '10.4.0.2'] as const;

  describe('sluice dsr', () => {
    it('says that it is ready, and is asked about backends and flows', async () => {
      await using running = await start(...one, '--check', 'http:/');
      const { control, services } = running.ready;
      assert.deepEqual(services, [
        { name: 'dsr', mode: 'dsr', listen: 'tcp://192.0.2.10:8080', backends: 2 },
      ]);
      assert.match(get(vip), /^(one|two)$/);
      const ask = async (command: string) =>
        JSON.parse((await runSluice([command, '--control', control, '--json'])).stdout);
      const [flow]: FlowView[] = (await ask('flows')).flows;
      assert.equal(flow!.mode, 'dsr');
      assert.equal(flow!.vip, '192.0.2.10:8080');
      assert.match(String(flow!.backend), /^10\.[34]\.0\.2$/);
      assert.ok(Number(flow!.packetsIn) >= 4);
      assert.deepEqual([flow!.packetsOut, flow!.bytesOut], [null, null]);
      const known: BackendView[] = (await ask('backends')).backends;
      assert.deepEqual(
        known.map(({ name, address, state }) => [name, address, state]),
        [
          ['10.3.0.2', '10.3.0.2', 'up'],
          ['10.4.0.2', '10.4.0.2', 'up'],
        ],
      );
      assert.equal((await runSluice(['drain', '10.3.0.2', '--control', control])).code, 0);
      for (let turn = 0; turn < 8; turn++) assert.equal(get(vip), 'two');
    });

    it('answers pings to the VIP', async () => {
      await using _ = await start(...one);
      client.run('ping -c 2 -W 5 192.0.2.10');
    });

    it('puts the VIP on an interface, and takes it away again', async () => {
      router.run('ip route delete 192.0.2.10; ip route add 192.0.2.10 dev balancer');
      try {
        await using running = await start(...one, '--add-vip', 'router');
        assert.match(get(vip), /^(one|two)$/);
        assert.match(here(`curl -gsS --interface 10.2.0.2 --max-time 10 ${url(vip)}/`), /^(one|two)\n$/);
        await running.stop();
        assert.ok(!machine().includes('192.0.2.10'));
      } finally {
        router.run('ip route delete 192.0.2.10; ip route add 192.0.2.10 via 10.2.0.2');
      }
    });

    it('varies the outer source by flow', { skip: missing('tshark', 'tcpdump') }, async () => {
      const end = await startTunnelEnd(network, 'three', 'gre', '--from', '10.7.0.0/24');
      const origin = await startOriginServer(network, 'three', vips);
      const file = join(directory.path, 'three.pcap');
      const capture = await startCapture(network.host('balancer'), 'three', file);
      try {
        const options = ['--outer-source', '10.7.0.0/24', '--check', 'http:/'];
        await using _ = await start('192.0.2.10:8080', '10.5.0.2', ...options);
        for (let turn = 0; turn < 16; turn++) assert.equal(get(vip), 'three');
        await capture.stop();
        const flows = readCapture(file, 'gre && ip.src == 10.1.0.2', 'ip.src')
          .map((sources) => sources.split(',')[0]!)
          .filter((source) => source.startsWith('10.7.0.'));
        assert.ok(new Set(flows).size > 4, `${[...new Set(flows)]}`);
      } finally {
        await origin.stop();
        await end.stop();
      }
    });
  });

  describe('the machine', () => {
    it('is as it was when sluice dsr has ended', async () => {
      const untouched = machine();
      const running = await start(...one);
      assert.notEqual(machine(), untouched);
      running.kill('SIGTERM');
      assert.equal(await running.exited, 0);
      assert.equal(machine(), untouched);
    });

    it('is as it was when a mode nat beside it has ended too', async () => {
      const untouched = machine();
      const config = `services:
  - { name: a, mode: dsr, listen: "192.0.2.10:8080", backends: [10.3.0.2] }
  - { name: b, mode: nat, listen: "192.0.2.11:8080", backends: ["10.4.0.2:8080"] }`;
      await using running = await sluice(['up', '-f', directory.write('both.yaml', config)]);
      assert.equal(get('192.0.2.10'), 'one');
      assert.equal(get('192.0.2.11'), 'two');
      running.kill('SIGTERM');
      assert.equal(await running.exited, 0);
      assert.equal(machine(), untouched);
    });

    it('is put back by sluice doctor --clean after a kill -9, and by the next start', async () => {
      const untouched = machine();
      for (const remedy of ['doctor', 'start']) {
        const crashing = await start(...one);
        crashing.kill('SIGKILL');
        await crashing.exited;
        assert.notEqual(machine(), untouched);
        if (remedy === 'doctor') {
          const { code, stdout } = await runSluice(['doctor', '--clean', '--json']);
          const { undone, left } = JSON.parse(stdout);
          assert.deepEqual([code, left, undone.includes('rules dsr/dsr')], [0, [], true]);
        } else {
          const next = await start(...one);
          next.kill('SIGTERM');
          await next.exited;
        }
        assert.equal(machine(), untouched);
      }
    });

    it('is not touched by who may not, who is told so', async () => {
      const untouched = machine();
      const plain = ['--reuid', '65534', '--clear-groups', '--bounding-set', '-all', process.execPath, entry];
      const { code, stderr } = await run({ program: 'setpriv', args: [...plain, 'dsr', ...one] });
      assert.equal(code, 4);
      assert.match(stderr, /^sluice: this process lacks CAP_NET_ADMIN and CAP_NET_RAW — run it with sudo/);
      assert.equal(machine(), untouched);
    });

    it('is not touched where a backend cannot be reached', async () => {
      const untouched = machine();
      here('ip route delete default');
      try {
        const { code, stderr } = await runSluice(['dsr', '192.0.2.10:80', '10.99.0.1']);
        assert.equal(code, 4);
        assert.match(stderr, /there is no way from here to the backend 10\.99\.0\.1: .* — add a route to it/);
      } finally {
        here('ip route add default via 10.2.0.1');
      }
      assert.equal(machine(), untouched);
    });
  });
}
