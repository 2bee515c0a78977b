/**
 * `sluice doctor` on a balancer of direct server return and on its backends, in the network of dsr-support.ts: what is in
 * the way of requests in their tunnels, and of answers to checks.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { ControlClient } from '../../lib/control/client.ts';
import type { Finding } from '../../lib/doctor/finding.ts';
import type { Server } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, sluice } from '../support/sluice.ts';
import { addressOf, balancer, dsrNetwork, startTunnelEnd } from './dsr-support.ts';
import { startOriginServer } from './nat-cli.ts';
import { until } from './support.ts';

const vip = '192.0.2.10';
const port = 8080;

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const host = network.host('balancer');
  const directory = scratch();
  const file = directory.write(
    'edge.yaml',
    `services:
  - { name: web, mode: dsr, listen: "${vip}:${port}", backends: ["${addressOf.one[4]}"], check: { type: tcp, interval: 100ms } }
`,
  );
  const undo: (() => void)[] = [];
  afterEach(() => {
    for (const step of undo.splice(0).reverse()) step();
  });
  const make = (command: string, back: string): void => {
    host.run(command);
    undo.push(() => host.run(`{ ${back}; } 2>/dev/null || true`));
  };

  const examine = async (...args: string[]): Promise<readonly Finding[]> => {
    const { stdout, stderr } = await runSluice(['doctor', 'dsr', '--json', '-f', file, ...args]);
    assert.equal(stderr, '');
    return JSON.parse(stdout).modes[0].checks;
  };
  const faults = async (): Promise<readonly Finding[]> =>
    (await examine()).filter(({ verdict }) => verdict === 'fault');
  const names = (findings: readonly Finding[]): readonly string[] => findings.map(({ check }) => check);
  const detailOf = (findings: readonly Finding[], name: string): string =>
    findings.find(({ check }) => check === name)!.detail;

  /** A balancer that asks its backend all the time, where the doctor looks for instances. */
  async function start() {
    const edge = await sluice(['up', '-f', file, '--name', `doctor-dsr-${process.pid}`]);
    const client = new ControlClient(edge.ready.control);
    return {
      /** Waits until the last check has said so. */
      says: (wanted: RegExp) =>
        until(`it says ${wanted}`, async () => wanted.test((await client.backends())[0]!.health.last)),
      async [Symbol.asyncDispose]() {
        await client.close();
        await edge.stop();
      },
    };
  }

  describe('sluice doctor of a balancer of direct server return', () => {
    let origin: Server;
    before(async () => {
      // Of an instance that was killed in a network whose number this one has now.
      await runSluice(['doctor', '--clean']);
      origin = await startOriginServer(network, 'one');
    });
    after(async () => {
      await origin.stop();
      directory.remove();
    });

    it('finds nothing in the way on a machine that is fine, and tells what fits into the tunnels', async () => {
      const findings = await examine();
      assert.deepEqual(names(findings.filter(({ verdict }) => verdict === 'fault')), []);
      assert.match(detailOf(findings, 'path-mtu'), /^1500 bytes to 10\.3\.0\.2, 1476 inside the tunnel/);
      assert.match(detailOf(findings, 'decapsulation'), /^start sluice dsr/);
    });

    it('finds that tunnels are dropped', async () => {
      make('iptables -P FORWARD DROP', 'iptables -P FORWARD ACCEPT; iptables -F FORWARD');
      const [found, ...others] = await faults();
      assert.deepEqual([found?.check, others], ['firewall', []]);
      assert.match(found!.detail, /drops GRE to 10\.3\.0\.2, by its policy$/);
      host.run(found!.fix!);
      assert.deepEqual(await faults(), []);
    });

    it('finds a black hole on the way of the tunnels, and what passes it inside of one', async () => {
      const one = network.host('one');
      const drop = '-p icmp -m length --length 1401:65535 -j DROP';
      one.run(`iptables -t raw -A PREROUTING ${drop}`);
      undo.push(() => one.run(`iptables -t raw -D PREROUTING ${drop}`));
      const [found, ...others] = await faults();
      assert.deepEqual([found?.check, others], ['path-mtu', []]);
      assert.equal(found!.detail, 'packets to 10.3.0.2 above 1400 bytes are lost, and nobody says so');
      undo.push(() => host.run(`ip route delete ${addressOf.one[4]}`));
      host.run(found!.fix!);
      const findings = await examine();
      assert.deepEqual(names(findings.filter(({ verdict }) => verdict === 'fault')), []);
      assert.match(detailOf(findings, 'path-mtu'), /^1400 bytes to 10\.3\.0\.2, 1376 inside the tunnel/);
    });

    it('finds that a backend does not take packets out of them, and what would', async () => {
      await using edge = await start();
      await edge.says(/^tunnel dead/);
      const [found, ...others] = await faults();
      assert.deepEqual([found?.check, found?.on, others], ['decapsulation', addressOf.one[4], []]);
      assert.equal(found!.fix, `sluice backend ${vip} --from ${balancer[4]}`);
      const [, ...command] = found!.fix!.split(' ');
      await using _ = await sluice([...command, '--name', 'one'], {
        namespace: network.host('one').namespace,
      });
      await edge.says(/^ok$/);
      assert.deepEqual(await faults(), []);
      assert.match(
        detailOf(await examine(), 'decapsulation'),
        /^the checks of the running instance get through/,
      );
    });

    it('finds that this machine has no way to the VIP, which checks are sent to', async () => {
      await using _ = await startTunnelEnd(network, 'one', 'gre');
      host.run(`ip route add ${addressOf.one[4]} via 10.2.0.1`);
      make(
        'ip route delete default',
        `ip route add default via 10.2.0.1; ip route delete ${addressOf.one[4]}`,
      );
      undo.push(() => host.run(`ip route delete ${vip} || true`));
      const [found, ...others] = await faults();
      assert.deepEqual([found?.check, others], ['vip', []]);
      host.run(found!.fix!);
      assert.deepEqual(await faults(), []);
      await using edge = await start();
      await edge.says(/^ok$/);
    });

    it('finds that answers to checks are dropped, of which the kernel knows nothing', async () => {
      await using _ = await startTunnelEnd(network, 'one', 'gre');
      make('iptables -A INPUT -m conntrack --ctstate INVALID -j DROP', 'iptables -F INPUT');
      await using edge = await start();
      await edge.says(/^tunnel dead/);
      const found = (await faults()).find(({ check }) => check === 'firewall');
      host.run(found!.fix!);
      await edge.says(/^ok$/);
      assert.deepEqual(await faults(), []);
    });
  });
}
