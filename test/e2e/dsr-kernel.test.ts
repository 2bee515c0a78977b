/**
 * `sluice backend` on a kernel that has tunnels of its own (see kernel-backend.ts), in the network of backend-support.ts. The
 * balancer is tunnel.py.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { tunnelEndFromArguments } from '../../lib/config/tunnel-end.ts';
import type { Finding } from '../../lib/doctor/finding.ts';
import { printTunnelEnd } from '../../lib/tunnel-end/print/print.ts';
import { readCapture, startCapture } from '../support/capture.ts';
import { createNetwork, type Network, namespaceObstacle } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { entry } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { type Uml, umlObstacle } from '../support/uml.ts';
import {
  backend,
  balancer,
  changes,
  forbidOffload,
  frontNetwork,
  type MachineState,
  machineState,
  sendByScapy,
  startTunnel,
  stateCommand,
  url,
  vips,
} from './backend-support.ts';
import { bootBackend, received, startBackendInside } from './kernel-backend.ts';

const from = `${balancer[4]},${balancer[6]}`;
const skip = namespaceObstacle() || umlObstacle() || missing('tshark', 'tcpdump', 'ethtool');

const networkd = '/usr/lib/systemd/systemd-networkd';
const noNetworkd = !existsSync(networkd) && `needs ${networkd}`;

describe('on a kernel with tunnels of its own', { skip }, () => {
  const directory = scratch();
  let network: Network;
  let uml: Uml;

  before(async () => {
    network = createNetwork(frontNetwork);
    forbidOffload(network, ['client', 'balancer']);
    uml = await bootBackend(network);
  });
  after(async () => {
    await uml?.stop();
    network?.remove();
    directory.remove();
  });

  const machine = async (): Promise<MachineState> => machineState(await uml.run(stateCommand));
  const get = (vip: string): string =>
    network
      .host('client')
      .run(`curl -gsS --max-time 60 ${url(vip)}/`)
      .trim();
  const scapy = (code: string): void => sendByScapy(network.host('router'), code);

  const synAck = 'tcp.flags.syn == 1 && tcp.flags.ack == 1';

  for (const [kind, devices, sizes] of [
    ['gre', ['sluice-gre', 'sluice-gre6'], [1416, 1416, 1396, 1396]],
    ['ipip', ['sluice-ipip', 'sluice-sit0', 'sluice-ip6tnl'], [1420, 1420, 1400, 1400]],
  ] as const) {
    describe(`with --encap ${kind}`, () => {
      const words = `${vips.join(' ')} --from ${from} --encap ${kind}`;
      let endTunnel: () => Promise<void>;
      let untouched: MachineState;
      let changed: MachineState;
      before(async () => {
        endTunnel = await startTunnel(network, kind);
        untouched = await machine();
      });
      after(() => endTunnel());

      it('sluice backend has the kernel take in tunnels without a fault, and puts everything back', async () => {
        await using running = await startBackendInside(uml, words);
        changed = await machine();
        const { tunnels } = running.ready as unknown as { tunnels: { by: string }[] };
        assert.deepEqual([...new Set(tunnels.map(({ by }) => by))], ['kernel']);
        const file = join(directory.path, 'client.pcap');
        const capture = await startCapture(network.host('client'), 'router', file);
        const size = 300_001;
        const hash = createHash('sha256').update(new Uint8Array(size)).digest('hex');
        for (const vip of vips) {
          const upload = `head -c ${size} /dev/zero | curl -gsS --max-time 60 -T - -H Expect: ${url(vip)}/put`;
          assert.equal(network.host('client').run(upload), hash, vip);
        }
        await capture.stop();
        assert.deepEqual(readCapture(file, synAck, 'tcp.options.mss_val').map(Number), sizes);
        for (const device of devices) {
          const { packets, faults } = await received(uml, device);
          assert.ok(packets >= size / 1_460, `${device} ${packets}`);
          assert.equal(faults, 0, device);
        }
        assert.deepEqual(await running.stop(), { strangers: 0, notForVip: 0 });
        assert.deepEqual(changes(untouched, await machine()), []);
      });

      it('its printed script does the same without Node, be it run twice, and undoes it', async () => {
        await uml.run(`${process.execPath} ${entry} backend ${words} --print >/run/x/backend.sh`);
        for (let turn = 0; turn < 2; turn++) assert.equal(await uml.run('sh /run/x/backend.sh'), '');
        for (const vip of vips) assert.equal(get(vip), 'kernel', vip);
        // Devices make up an address of the link; the empty chain is a note that sluice leaves itself.
        const chance = /fe80:|:sluice-backend\/mangle /;
        const differences = changes(changed, await machine()).filter((line) => !chance.test(line));
        assert.deepEqual(differences, []);
        assert.equal(await uml.run('sh /run/x/backend.sh undo'), '');
        assert.deepEqual(changes(untouched, await machine()), []);
      });

      it('its printed files have systemd-networkd make the same devices', { skip: noNetworkd }, async () => {
        const { files } = printTunnelEnd(tunnelEndFromArguments({ vips, from, encap: kind }));
        const folder = '/run/systemd/network';
        // A read-only /sys is the sign that there is no udev to wait for.
        await uml.run(`mount -o remount,ro /sys; rm -rf ${folder}; mkdir -p ${folder}`);
        for (const [path, text] of Object.entries(files).filter(([path]) => path.includes('systemd'))) {
          uml.exchange.write('file', text);
          await uml.run(`cp /run/x/file ${folder}/${basename(path)}`);
        }
        await uml.run(`${networkd} >/run/x/networkd 2>&1 & pid=$!
until ip address show dev lo | grep -q ${vips.at(-1)}; do sleep 0.1; kill -0 $pid || exit; done; kill $pid`);
        const made = await machine();
        await uml.run(`for device in ${devices.join(' ')}; do ip link delete $device; done
for vip in ${vips.join(' ')}; do ip address delete $vip dev lo; done`);
        // Devices, their addresses, and the VIPs.
        const ofDevices = (state: MachineState): string[] =>
          [...state].filter((line) => /^(sluice|lo )/.test(line) && !line.includes('fe80:')).sort();
        assert.deepEqual(ofDevices(made), ofDevices(changed));
      });
    });
  }

  describe('sluice backend', () => {
    let endTunnel: () => Promise<void>;
    before(async () => {
      endTunnel = await startTunnel(network, 'gre');
    });
    after(() => endTunnel());

    it('takes nothing from strangers, nor for others than VIPs, and leaves other tunnels alone', async () => {
      await uml.run(
        `ip link add own type gre local ${backend[4]} remote 10.1.0.2; ip link set own up; ip address add 10.77.0.1/24 dev own`,
      );
      await using running = await startBackendInside(
        uml,
        `${vips.join(' ')} --from 10.2.0.0/28,${balancer[6]}`,
      );
      scapy(`for source in ("10.2.0.16", "10.3.0.1", "10.1.0.9"):
    send(IP(src=source, dst="${backend[4]}")/GRE()/inner/"stranger")
inner.dst = "10.3.0.2"
send(outer4/GRE()/inner/"astray")
send(outer4/GRE()/IPv6(src="fd01::2", dst="fd03::2")/UDP(sport=7000, dport=5353)/"astray")
for number in range(3):
    send(IP(src="10.1.0.2", dst="${backend[4]}")/GRE()/IP(src="10.77.0.2", dst="10.77.0.1")/ICMP())`);
      for (const vip of vips) assert.equal(get(vip), 'kernel', vip);
      assert.equal((await received(uml, 'own')).packets, 3);
      const examined = await uml.run(`${process.execPath} ${entry} doctor backend --json`);
      const [{ checks }] = JSON.parse(examined).modes as [{ checks: Finding[] }];
      const verdicts = (name: string) =>
        checks.filter(({ check }) => check === name).map(({ verdict }) => verdict);
      assert.deepEqual(verdicts('tunnel'), new Array(2 * vips.length).fill('ok'), examined);
      assert.deepEqual(verdicts('strangers'), ['warning']);
      assert.deepEqual(await running.stop(), { strangers: 3, notForVip: 2 });
      await uml.run('ip link delete own');
    });

    it('has clients come in by a strict reverse path test, keeps what was there, and mends a kill -9', async () => {
      const filter = (value: number): string =>
        `for name in all default vec0; do echo ${value} >/proc/sys/net/ipv4/conf/$name/rp_filter; done`;
      await uml.run(`${filter(1)}; ip address add ${vips[0]}/32 dev lo`);
      const untouched = await machine();
      await using crashing = await startBackendInside(uml, `${vips.join(' ')} --from ${from}`);
      await crashing.kill();
      assert.notDeepEqual(changes(untouched, await machine()), []);
      await using running = await startBackendInside(uml, `${vips.join(' ')} --from ${from}`);
      for (const vip of vips) assert.equal(get(vip), 'kernel', vip);
      await running.stop();
      assert.deepEqual(changes(untouched, await machine()), []);
      await uml.run(`${filter(0)}; ip address delete ${vips[0]}/32 dev lo`);
    });
  });
});
