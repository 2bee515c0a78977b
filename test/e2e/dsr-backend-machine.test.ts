/**
 * What `sluice backend` does to the machine that it runs on, and takes back, on a kernel that has no tunnels of its own, in
 * the network of backend-support.ts.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Finding } from '../../lib/doctor/finding.ts';
import { run } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import { entry, runSluice } from '../support/sluice.ts';
import {
  backendNetwork,
  balancer,
  changes,
  countsOf,
  here,
  type MachineState,
  machineState,
  settled,
  startBackend,
  stateCommand,
  vips,
} from './backend-support.ts';

const from = `${balancer[4]},${balancer[6]}`;

const network = inside(import.meta.url, 'backend', backendNetwork);
if (network !== undefined) {
  const machine = (): MachineState => machineState(here(stateCommand));

  before(settled);

  describe('the machine', () => {
    const args = [...vips, '--from', from];

    it('is as it was when sluice backend has ended', async () => {
      const untouched = machine();
      for (const encap of ['gre', 'ipip'] as const) {
        const running = await startBackend(...args, '--encap', encap);
        assert.notDeepEqual(changes(untouched, machine()), []);
        running.kill('SIGTERM');
        assert.equal(await running.exited, 0);
        assert.deepEqual(changes(untouched, machine()), []);
      }
    });

    it('is as it was when its time is over', async () => {
      const untouched = machine();
      const running = await startBackend(...args, '--for', '100ms');
      assert.equal(await running.exited, 0);
      assert.deepEqual(changes(untouched, machine()), []);
    });

    it('is put back by sluice doctor --clean after a kill -9, and by the next start', async () => {
      const untouched = machine();
      for (const remedy of ['doctor', 'start']) {
        const crashing = await startBackend(...args);
        crashing.kill('SIGKILL');
        await crashing.exited;
        assert.notDeepEqual(changes(untouched, machine()), []);
        if (remedy === 'doctor') {
          const { code, stdout } = await runSluice(['doctor', '--clean', '--json']);
          const { undone, left } = JSON.parse(stdout);
          assert.deepEqual([code, left, undone.includes('rules backend')], [0, [], true]);
        } else {
          const next = await startBackend(...args);
          assert.equal(await countsOf(next).then(({ strangers }) => strangers), 0);
        }
        assert.deepEqual(changes(untouched, machine()), []);
      }
    });

    it('keeps an address and settings that were there before', async () => {
      here(`ip address add ${vips[0]}/32 dev lo; echo 2 >/proc/sys/net/ipv4/conf/all/arp_ignore`);
      const untouched = machine();
      const running = await startBackend(...args);
      running.kill('SIGTERM');
      await running.exited;
      assert.deepEqual(changes(untouched, machine()), []);
      here(`ip address delete ${vips[0]}/32 dev lo; echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore`);
    });

    it('is not touched by who may not, who is told so', async () => {
      const untouched = machine();
      const plain = ['--reuid', '65534', '--clear-groups', '--bounding-set', '-all', process.execPath, entry];
      const { code, stderr } = await run({ program: 'setpriv', args: [...plain, 'backend', ...args] });
      assert.equal(code, 4);
      assert.match(stderr, /^sluice: this process lacks CAP_NET_ADMIN and CAP_NET_RAW — run it with sudo/);
      assert.deepEqual(changes(untouched, machine()), []);
    });

    it('is found well by sluice doctor backend, which sends a packet through each tunnel', async () => {
      const examine = async (): Promise<readonly Finding[]> => {
        const { stdout } = await runSluice(['doctor', 'backend', '--json']);
        const [{ checks }] = JSON.parse(stdout).modes;
        return checks.filter(({ check }: Finding) => ['tunnel', 'strangers'].includes(check));
      };
      assert.deepEqual(
        (await examine()).map(({ verdict }) => verdict),
        ['moot'],
      );
      await using running = await startBackend(...vips, '--from', `10.2.0.0/24,${balancer[6]}`);
      const found = await examine();
      assert.deepEqual([...new Set(found.map(({ verdict }) => verdict))], ['ok'], JSON.stringify(found));
      assert.equal(found.length, 2 * vips.length);
      // As a firewall would that knows nothing of tunnels.
      here('iptables -t raw -I PREROUTING -p gre -j DROP');
      const blocked = (await examine()).filter(({ verdict }) => verdict === 'fault');
      here('iptables -t raw -D PREROUTING -p gre -j DROP');
      assert.deepEqual(
        blocked.map(({ detail }) => detail),
        vips.map((vip) => `a packet from 10.2.0.0/24 did not come out at ${vip}`),
      );
      assert.equal((await countsOf(running)).own?.delivered, 3 * vips.length);
    });

    it('is not given to two of one name', async () => {
      await using _ = await startBackend(...args);
      const { code, stderr } = await runSluice(['backend', ...args]);
      assert.equal(code, 1);
      assert.match(stderr, /^sluice: an instance called backend is running, process \d+ — stop it/);
    });
  });
}
