/**
 * `sluice backend` on a kernel that has tunnels of its own: User-Mode Linux in the place of the backend, in the network of
 * backend-support.ts, joined to the router by a tap device.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TunnelEndCounts } from '../../lib/tunnel-end/tunnel-end.ts';
import { readCapture, startCapture } from '../support/capture.ts';
import { createNetwork, type Network, namespaceObstacle } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { type Event, entry } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { bootUml, type Uml, umlObstacle } from '../support/uml.ts';
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

const from = `${balancer[4]},${balancer[6]}`;
const origin = fileURLToPath(new URL('./fixtures/kernel-origin.mjs', import.meta.url));
const skip = namespaceObstacle() || umlObstacle() || missing('tshark', 'tcpdump', 'ethtool');

/** A running `sluice backend`, which ends with its block. */
interface Running extends AsyncDisposable {
  readonly ready: Event;
  /** Ends it, and says what it had counted. */
  stop(): Promise<TunnelEndCounts>;
  kill(): Promise<void>;
}

describe('on a kernel with tunnels of its own', { skip }, () => {
  const directory = scratch();
  let network: Network;
  let uml: Uml;

  before(async () => {
    network = createNetwork(frontNetwork);
    forbidOffload(network, ['client', 'balancer']);
    uml = await bootUml({
      host: network.host('router'),
      tap: { name: 'backend', addresses: ['10.3.0.1/24', 'fd03::1/64'] },
      setUp: [
        // Each brings an idle device of its own, which stays.
        'for module in ip_gre ip6_gre ipip sit ip6_tunnel; do modprobe -d /run/modules $module; done',
        `ip address add ${backend[4]}/24 dev vec0; ip route add default via 10.3.0.1`,
        `ip address add ${backend[6]}/64 dev vec0 nodad; ip route add default via fd03::1`,
        `${process.execPath} ${origin} >/run/x/origin 2>&1 & until grep -q ready /run/x/origin; do sleep 0.1; done`,
        'while ip address | grep -q tentative; do sleep 0.1; done',
      ],
    });
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
      .run(`curl -gsS --max-time 10 ${url(vip)}/`)
      .trim();
  const scapy = (code: string): void => sendByScapy(network.host('router'), code);

  async function start(...args: string[]): Promise<Running> {
    const events = (): Event[] =>
      uml.exchange
        .read('events')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    await uml.run(`rm -f /run/x/ended; : >/run/x/events
{ ${process.execPath} ${entry} backend ${args.join(' ')} --json >/run/x/events 2>/run/x/said & echo $! >/run/pid; wait $!; echo $? >/run/x/ended; } &
until grep -q ready /run/x/events || [ -e /run/x/ended ]; do sleep 0.1; done; grep ready /run/x/events || { cat /run/x/said; false; }`);
    const end = async (signal: string): Promise<string> =>
      (
        await uml.run(
          `[ -e /run/x/ended ] || kill -${signal} $(cat /run/pid); until [ -e /run/x/ended ]; do sleep 0.1; done; cat /run/x/ended`,
        )
      ).trim();
    return {
      ready: events()[0]!,
      async stop() {
        assert.equal(await end('INT'), '0');
        const { event, ...counts } = events().at(-1)!;
        assert.equal(event, 'stopped');
        return counts as unknown as TunnelEndCounts;
      },
      async kill() {
        await end('KILL');
      },
      async [Symbol.asyncDispose]() {
        await end('INT');
      },
    };
  }

  /** What a device of the kernel has taken in, and what was wrong with it. */
  async function received(device: string): Promise<{ packets: number; faults: number }> {
    const [link] = JSON.parse(await uml.run(`ip -json -s -s link show dev ${device}`));
    const { packets, errors, dropped, crc_errors, frame_errors, length_errors } = link.stats64.rx;
    return { packets, faults: errors + dropped + crc_errors + frame_errors + length_errors };
  }

  const kinds = {
    gre: { devices: ['sluice-gre', 'sluice-gre6'], sizes: [1416, 1416, 1396, 1396] },
    ipip: {
      devices: ['sluice-ipip', 'sluice-sit0', 'sluice-ip6tnl'],
      sizes: [1420, 1420, 1400, 1400],
    },
  } as const;
  for (const [kind, { devices, sizes }] of Object.entries(kinds) as [
    keyof typeof kinds,
    (typeof kinds)[keyof typeof kinds],
  ][]) {
    describe(`sluice backend --encap ${kind}`, () => {
      let endTunnel: () => Promise<void>;
      before(async () => {
        endTunnel = await startTunnel(network, kind);
      });
      after(() => endTunnel());

      it('has the kernel take in tunnels, without a fault, and puts everything back', async () => {
        const untouched = await machine();
        await using running = await start(...vips, '--from', from, '--encap', kind);
        const { tunnels } = running.ready as unknown as { tunnels: { by: string }[] };
        assert.deepEqual([...new Set(tunnels.map(({ by }) => by))], ['kernel']);
        for (const vip of vips) assert.equal(get(vip), 'kernel', vip);
        for (const device of devices) {
          const { packets, faults } = await received(device);
          assert.ok(packets >= 5, `${device} ${packets}`);
          assert.equal(faults, 0, device);
        }
        assert.deepEqual(await running.stop(), { strangers: 0, notForVip: 0 });
        assert.deepEqual(changes(untouched, await machine()), []);
      });

      it('carries uploads whole, because clients are told what fits through the tunnel', async () => {
        await using _ = await start(...vips, '--from', from, '--encap', kind);
        const file = join(directory.path, 'client.pcap');
        const capture = await startCapture(network.host('client'), 'router', file);
        const size = 300_001;
        const hash = createHash('sha256').update(new Uint8Array(size)).digest('hex');
        for (const vip of vips) {
          const upload = `head -c ${size} /dev/zero | curl -gsS --max-time 20 -T - -H Expect: ${url(vip)}/put`;
          assert.equal(network.host('client').run(upload), hash, vip);
        }
        await capture.stop();
        const synAck = 'tcp.flags.syn == 1 && tcp.flags.ack == 1';
        assert.deepEqual(readCapture(file, synAck, 'tcp.options.mss_val').map(Number), sizes);
        for (const device of devices) assert.equal((await received(device)).faults, 0, device);
      });
    });
  }

  describe('sluice backend', () => {
    let endTunnel: () => Promise<void>;
    before(async () => {
      endTunnel = await startTunnel(network, 'gre');
    });
    after(() => endTunnel());

    it('takes nothing from a tunnel that --from does not name, nor for another address than a VIP', async () => {
      await using running = await start(...vips, '--from', '10.2.0.0/28');
      scapy(`for source in ("10.2.0.16", "10.3.0.1", "10.1.0.2"):
    send(IP(src=source, dst="${backend[4]}")/GRE()/inner/"stranger")
inner.dst = "10.3.0.2"
send(outer4/GRE()/inner/"astray")
send(outer4/GRE()/IPv6(src="fd01::2", dst="fd03::2")/UDP(sport=7000, dport=5353)/"astray")`);
      assert.equal(get(vips[0]!), 'kernel');
      assert.equal(get(vips[3]!), 'kernel');
      assert.deepEqual(await running.stop(), { strangers: 3, notForVip: 2 });
    });

    it('leaves tunnels alone that the machine has of its own', async () => {
      await uml.run(
        `ip link add own type gre local ${backend[4]} remote 10.1.0.2; ip link set own up; ip address add 10.77.0.1/24 dev own`,
      );
      await using running = await start(...vips, '--from', from);
      scapy(`for number in range(3):
    send(IP(src="10.1.0.2", dst="${backend[4]}")/GRE()/IP(src="10.77.0.2", dst="10.77.0.1")/ICMP())`);
      assert.equal((await received('own')).packets, 3);
      assert.deepEqual(await running.stop(), { strangers: 0, notForVip: 0 });
      await uml.run('ip link delete own');
    });

    it('has clients come in by a strict reverse path test, and for a VIP that is the machine’s own', async () => {
      await uml.run(
        `for name in all default vec0; do echo 1 >/proc/sys/net/ipv4/conf/$name/rp_filter; done; ip address add ${vips[0]}/32 dev lo`,
      );
      const untouched = await machine();
      await using running = await start(...vips, '--from', from);
      for (const vip of vips) assert.equal(get(vip), 'kernel', vip);
      await running.stop();
      assert.deepEqual(changes(untouched, await machine()), []);
      await uml.run(
        `for name in all default vec0; do echo 0 >/proc/sys/net/ipv4/conf/$name/rp_filter; done; ip address delete ${vips[0]}/32 dev lo`,
      );
    });

    it('is brought about by the printed script alike', async () => {
      const words = `${vips.join(' ')} --from ${from}`;
      await using running = await start(...words.split(' '));
      const bySluice = await machine();
      await running.stop();
      await uml.run(`${process.execPath} ${entry} backend ${words} --print >/run/x/backend.sh`);
      await uml.run('sh /run/x/backend.sh');
      const byScript = await machine();
      await uml.run('sh /run/x/backend.sh undo');
      // Devices make up an address of the link; the empty chain is a note that sluice leaves itself.
      const chance = /fe80:|:sluice-backend\/mangle /;
      assert.deepEqual(
        changes(bySluice, byScript).filter((line) => !chance.test(line)),
        [],
      );
    });

    it('is put back by sluice doctor --clean after a kill -9, and by the next start', async () => {
      const untouched = await machine();
      await using crashing = await start(...vips, '--from', from);
      await crashing.kill();
      assert.notDeepEqual(changes(untouched, await machine()), []);
      const { undone, left } = JSON.parse(
        await uml.run(`${process.execPath} ${entry} doctor --clean --json`),
      );
      assert.deepEqual([left, undone.includes('link sluice-gre')], [[], true]);
      assert.deepEqual(changes(untouched, await machine()), []);
      await (await start(...vips, '--from', from)).kill();
      await using next = await start(...vips, '--from', from);
      assert.equal(get(vips[0]!), 'kernel');
      await next.stop();
      assert.deepEqual(changes(untouched, await machine()), []);
    });
  });

  for (const [kind, sources] of [
    ['gre', '10.2.0.0/24,fd02::/64'],
    ['ipip', from],
  ] as const) {
    describe(`what sluice backend --print writes for ${kind}`, () => {
      let endTunnel: () => Promise<void>;
      before(async () => {
        endTunnel = await startTunnel(network, kind);
      });
      after(() => endTunnel());

      it('does the same without Node, twice if it is run twice, and undoes it', async () => {
        const untouched = await machine();
        const words = `backend ${vips.join(' ')} --from ${sources} --encap ${kind} --print`;
        await uml.run(`${process.execPath} ${entry} ${words} >/run/x/backend.sh`);
        for (let turn = 0; turn < 2; turn++) {
          assert.equal(await uml.run('sh /run/x/backend.sh'), '');
          for (const vip of vips) assert.equal(get(vip), 'kernel', vip);
        }
        scapy(`send(IP(src="10.1.0.2", dst="${backend[4]}")/GRE()/inner/"stranger")`);
        assert.equal(await uml.run('sh /run/x/backend.sh undo'), '');
        assert.deepEqual(changes(untouched, await machine()), []);
      });
    });
  }
});
