/**
 * `sluice backend` as its users start it, on a kernel that has no tunnels of its own, in the network of
 * backend-support.ts: from the first packet to the machine put back.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TunnelEndCounts } from '../../lib/tunnel-end/tunnel-end.ts';
import { readCapture, startCapture } from '../support/capture.ts';
import { run } from '../support/child.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import {
  backend,
  backendNetwork,
  balancer,
  changes,
  combinations,
  forbidOffload,
  type MachineState,
  machineState,
  sendByScapy,
  startServers,
  startTunnel,
  stateCommand,
  url,
  vips,
} from './backend-support.ts';

const noTshark = missing('tshark', 'tcpdump');
const from = `${balancer[4]},${balancer[6]}`;

const network = inside(import.meta.url, 'backend', backendNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const router = network.host('router');
  const directory = scratch();
  const here = (command: string): string => execFileSync('sh', ['-c', command], { encoding: 'utf8' });
  const machine = (): MachineState => machineState(here(stateCommand));

  before(async () => {
    forbidOffload(network, ['client', 'balancer', 'backend']);
    await startServers(network);
    await settled();
  });
  after(() => directory.remove());

  /** Resolves when the kernel has made up its mind about link-local addresses. */
  async function settled(): Promise<void> {
    while (here('ip address').includes('tentative')) await delay(50);
  }

  /** Starts `sluice backend`. */
  const start = (...args: string[]): Promise<Sluice> => sluice(['backend', ...args, '--name', 'backend']);

  const get = (vip: string): string => client.run(`curl -gsS --max-time 10 ${url(vip)}/`).trim();

  /** What the instance has counted when it is stopped. */
  async function countsOf(running: Sluice): Promise<TunnelEndCounts> {
    running.kill('SIGINT');
    assert.equal(await running.exited, 0);
    const { event, ...counts } = running.events().at(-1)!;
    assert.equal(event, 'stopped');
    return counts as unknown as TunnelEndCounts;
  }

  const scapy = (code: string): void => sendByScapy(router, code);

  /** What a UDP socket at a VIP hears from what `send` does. */
  async function heard(vip: string, send: () => void, forMs = 500): Promise<string[]> {
    const listen = `import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in "${vip}" else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("${vip}", 5353))
print("ready", flush=True)
while True:
    data, (address, *_) = s.recvfrom(65536)
    print(address, len(data), data[:8].decode(), flush=True)`;
    const child = network!.host('backend').spawn('python3', ['-c', listen], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    while (!said.includes('ready')) await delay(20);
    send();
    await delay(forMs);
    child.kill('SIGKILL');
    await once(child, 'exit');
    return said.split('\n').slice(1, -1);
  }

  for (const kind of ['gre', 'ipip'] as const) {
    describe(`sluice backend --encap ${kind}`, () => {
      let endTunnel: () => Promise<void>;
      before(async () => {
        endTunnel = await startTunnel(network, kind);
      });
      after(() => endTunnel());

      it('answers requests of both families, in tunnels of both', async () => {
        await using running = await start(...vips, '--from', from, '--encap', kind);
        for (const vip of vips) assert.equal(get(vip), 'backend', vip);
        const { own, strangers, notForVip } = await countsOf(running);
        assert.deepEqual([strangers, notForVip], [0, 0]);
        assert.deepEqual(own?.dropped, {});
      });

      it('carries uploads whole, because clients are told what fits through the tunnel', async () => {
        await using _ = await start(...vips, '--from', from, '--encap', kind);
        const size = 3_000_001;
        const hash = createHash('sha256').update(new Uint8Array(size)).digest('hex');
        for (const vip of vips) {
          const upload = `head -c ${size} /dev/zero | curl -gsS --max-time 20 -T - -H Expect: ${url(vip)}/put`;
          assert.equal(client.run(upload), hash, vip);
        }
      });
    });
  }

  describe('sluice backend', () => {
    let endTunnel: () => Promise<void>;
    before(async () => {
      endTunnel = await startTunnel(network, 'gre');
    });
    after(() => endTunnel());

    it('says what it does when it is ready', async () => {
      await using running = await start(vips[0]!, vips[3]!, '--from', '10.2.0.0/24');
      assert.deepEqual(running.ready, {
        event: 'ready',
        vips: [
          { address: vips[0], mss: 1436 },
          { address: vips[3], mss: 1416 },
        ],
        tunnels: [{ from: '10.2.0.0/24', outer: 'ipv4', protocol: 'gre', by: 'sluice' }],
      });
      for (const vip of [vips[0]!, vips[3]!]) assert.equal(get(vip), 'backend');
    });

    it('answers clients itself: nothing from a VIP passes the balancer', { skip: noTshark }, async () => {
      await using _ = await start(...vips, '--from', from);
      const file = join(directory.path, 'balancer.pcap');
      const capture = await startCapture(network.host('balancer'), 'router', file);
      for (const vip of vips) assert.equal(get(vip), 'backend');
      await capture.stop();
      const passed = (filter: string): number => readCapture(file, filter, 'frame.number').length;
      for (const vip of vips) {
        const field = vip.includes(':') ? 'ipv6' : 'ip';
        // In and out, at least a SYN, an ACK, the request and a FIN.
        assert.ok(passed(`${field}.dst == ${vip}`) >= 8, vip);
        assert.equal(passed(`${field}.src == ${vip}`), 0, vip);
      }
    });

    for (const [flags, sizes] of [
      [[], [1436, 1416, 1396, 1416]],
      [
        ['--mss', '1000'],
        [1000, 1000, 1000, 1000],
      ],
      [
        ['--mss', 'off'],
        [1460, 1460, 1440, 1440],
      ],
    ] as const) {
      const title = `writes ${sizes.join(', ')} into its SYN-ACKs with ${flags.join(' ') || 'no flag'}`;
      it(title, { skip: noTshark }, async () => {
        for (const [index, { vip, outer }] of combinations.entries()) {
          await using _ = await start(vip, '--from', balancer[outer], ...flags);
          const file = join(directory.path, 'client.pcap');
          const capture = await startCapture(client, 'router', file);
          assert.equal(get(vip), 'backend');
          await capture.stop();
          const synAck = 'tcp.flags.syn == 1 && tcp.flags.ack == 1';
          assert.deepEqual(readCapture(file, synAck, 'tcp.options.mss_val'), [`${sizes[index]}`], vip);
        }
      });
    }

    it('takes nothing from a tunnel that --from does not name, and counts it', async () => {
      await using running = await start(...vips, '--from', from);
      const said = await heard(vips[0]!, () =>
        scapy(`for source in ("10.3.0.1", "10.2.0.3", "10.1.0.2"):
    send(IP(src=source, dst="${backend[4]}")/GRE()/inner/"stranger")
send(IPv6(src="fd03::1", dst="${backend[6]}")/GRE()/inner/"stranger")
send(outer4/GRE()/inner/"welcome!")`),
      );
      assert.deepEqual(said, ['10.1.0.2 8 welcome!']);
      assert.equal((await countsOf(running)).strangers, 4);
    });

    it('takes nothing in a tunnel of another kind', async () => {
      await using running = await start(...vips, '--from', from);
      const said = await heard(vips[0]!, () => scapy('send(outer4/inner/"unasked!")'));
      assert.deepEqual(said, []);
      const { own } = await countsOf(running);
      assert.equal(own?.delivered, 0);
    });

    it('delivers to its VIPs alone, and counts what is for others', async () => {
      await using running = await start(vips[0]!, '--from', from);
      here('ip address add 192.0.2.99/32 dev lo');
      const said = await heard('192.0.2.99', () =>
        scapy('inner.dst = "192.0.2.99"\nsend(outer4/GRE()/inner/"unasked!")'),
      );
      here('ip address delete 192.0.2.99/32 dev lo');
      assert.deepEqual(said, []);
      assert.deepEqual((await countsOf(running)).own, {
        delivered: 0,
        bytes: 0,
        dropped: { 'not-for-vip': 1 },
      });
    });

    it('takes a tunnel packet that was cut up on its way', async () => {
      await using _ = await start(...vips, '--from', from);
      const said = await heard(vips[0]!, () =>
        scapy(`whole = outer4/GRE()/inner/("whole..." + "x" * 1400)
for piece in fragment(whole, fragsize=600): send(piece)
for piece in fragment6(outer6/IPv6ExtHdrFragment(id=7)/GRE()/inner/("whole..." + "x" * 1400), 700): send(piece)`),
      );
      assert.deepEqual(said, ['10.1.0.2 1408 whole...', '10.1.0.2 1408 whole...']);
    });

    it('takes packets with options and fragments inside', async () => {
      await using running = await start(...vips, '--from', from);
      const said = await heard(vips[0]!, () =>
        scapy(`send(outer4/GRE()/IP(src="10.1.0.2", dst=inner.dst, options=[IPOption_NOP()] * 4)/inner[UDP]/"optional")
for piece in fragment(inner/("in parts" + "x" * 1400), fragsize=600): send(outer4/GRE()/piece)`),
      );
      assert.deepEqual(said, ['10.1.0.2 8 optional', '10.1.0.2 1408 in parts']);
      const said6 = await heard(vips[2]!, () =>
        scapy(`six = IPv6(src="fd01::2", dst="${vips[2]}")
datagram = UDP(sport=7000, dport=5353)
send(outer6/GRE()/six/IPv6ExtHdrHopByHop(options=PadN(optdata=bytes(4)))/datagram/"optional")
for piece in fragment6(six/IPv6ExtHdrFragment(id=8)/datagram/("in parts" + "x" * 1400), 700): send(outer6/GRE()/piece)
send(outer6/IPv6ExtHdrDestOpt(options=PadN(optdata=bytes(4)))/GRE()/six/datagram/"outside!")`),
      );
      assert.deepEqual(said6, ['fd01::2 8 optional', 'fd01::2 1408 in parts', 'fd01::2 8 outside!']);
      assert.deepEqual((await countsOf(running)).own?.dropped, {});
    });

    it('has clients come in whose way back is not by the balancer, and keeps the filter loose', async () => {
      const filters = '/proc/sys/net/ipv4/conf/router/rp_filter';
      here(`echo 1 >${filters}; ip link add other type veth peer name rehto; ip link set other up`);
      here('ip link set rehto up; ip address add 10.9.0.1/24 dev other; ip route add 10.66.0.0/24 dev other');
      await settled();
      const untouched = machine();
      try {
        await using running = await start(...vips, '--from', from);
        const far = () => scapy('inner.src = "10.66.0.1"\nsend(outer4/GRE()/inner/"far away")');
        assert.deepEqual(await heard(vips[0]!, far), ['10.66.0.1 8 far away']);
        assert.equal(here(`cat ${filters}`).trim(), '2');
        running.kill('SIGINT');
        await running.exited;
        assert.deepEqual(changes(untouched, machine()), []);
      } finally {
        here(`echo 0 >${filters}; ip link delete other`);
      }
    });
  });

  describe('sluice backend --encap l2', () => {
    const vip = '192.0.2.20';
    before(() => router.run(`ip route add ${vip} via ${backend[4]}`));
    after(() => router.run(`ip route delete ${vip}`));

    it('answers what comes to its link address', async () => {
      await using running = await start(vip, '--encap', 'l2');
      assert.deepEqual(running.ready, { event: 'ready', vips: [{ address: vip, mss: null }], tunnels: [] });
      assert.equal(get(vip), 'backend');
    });

    it('tells nobody of the link that the VIP is here, neither asked nor by asking', {
      skip: noTshark,
    }, async () => {
      await using _ = await start(vip, '--encap', 'l2');
      const file = join(directory.path, 'arp.pcap');
      // Now the router knows the backend, and the backend has forgotten the router.
      assert.equal(get(vip), 'backend');
      here('ip neighbour flush dev router');
      const capture = await startCapture(router, 'backend', file, 'arp');
      assert.equal(get(vip), 'backend');
      router.run(`ip route add ${vip} dev backend metric 0 table 7; ip rule add to ${vip} table 7 pref 7`);
      try {
        assert.throws(() => router.run(`ping -c 1 -W 1 ${vip}`));
      } finally {
        router.run('ip rule delete pref 7; ip route flush table 7');
      }
      await capture.stop();
      const asked = readCapture(file, 'arp.opcode == 1', 'arp.dst.proto_ipv4');
      assert.ok(asked.includes('10.3.0.1') && asked.includes(vip));
      assert.deepEqual(readCapture(file, `arp.src.proto_ipv4 == ${vip}`, 'frame.number'), []);
    });
  });

  describe('the machine', () => {
    const args = [...vips, '--from', from];

    it('is as it was when sluice backend has ended', async () => {
      const untouched = machine();
      for (const encap of ['gre', 'ipip'] as const) {
        const running = await start(...args, '--encap', encap);
        assert.notDeepEqual(changes(untouched, machine()), []);
        running.kill('SIGTERM');
        assert.equal(await running.exited, 0);
        assert.deepEqual(changes(untouched, machine()), []);
      }
    });

    it('is as it was when its time is over', async () => {
      const untouched = machine();
      const running = await start(...args, '--for', '100ms');
      assert.equal(await running.exited, 0);
      assert.deepEqual(changes(untouched, machine()), []);
    });

    it('is put back by sluice doctor --clean after a kill -9, and by the next start', async () => {
      const untouched = machine();
      for (const remedy of ['doctor', 'start']) {
        const crashing = await start(...args);
        crashing.kill('SIGKILL');
        await crashing.exited;
        assert.notDeepEqual(changes(untouched, machine()), []);
        if (remedy === 'doctor') {
          const { code, stdout } = await runSluice(['doctor', '--clean', '--json']);
          const { undone, left } = JSON.parse(stdout);
          assert.deepEqual([code, left, undone.includes('rules backend')], [0, [], true]);
        } else {
          const next = await start(...args);
          assert.equal(await countsOf(next).then(({ strangers }) => strangers), 0);
        }
        assert.deepEqual(changes(untouched, machine()), []);
      }
    });

    it('keeps an address and settings that were there before', async () => {
      here(`ip address add ${vips[0]}/32 dev lo; echo 2 >/proc/sys/net/ipv4/conf/all/arp_ignore`);
      const untouched = machine();
      const running = await start(...args);
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

    it('is not given to two of one name', async () => {
      await using _ = await start(...args);
      const { code, stderr } = await runSluice(['backend', ...args]);
      assert.equal(code, 1);
      assert.match(stderr, /^sluice: an instance called backend is running, process \d+ — stop it/);
    });
  });
}
