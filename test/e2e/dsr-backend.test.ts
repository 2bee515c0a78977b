/**
 * `sluice backend` as its users start it, on a kernel that has no tunnels of its own, in the network of
 * backend-support.ts: clients are answered.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readCapture, startCapture } from '../support/capture.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { missing } from '../support/tools.ts';
import {
  backend,
  backendNetwork,
  balancer,
  combinations,
  countsOf,
  forbidOffload,
  get,
  here,
  settled,
  startBackend,
  startServers,
  startTunnel,
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

  before(async () => {
    forbidOffload(network, ['client', 'balancer', 'backend']);
    await startServers(network);
    await settled();
  });
  after(() => directory.remove());

  for (const kind of ['gre', 'ipip'] as const) {
    describe(`sluice backend --encap ${kind}`, () => {
      let endTunnel: () => Promise<void>;
      before(async () => {
        endTunnel = await startTunnel(network, kind);
      });
      after(() => endTunnel());

      it('answers requests of both families, in tunnels of both', async () => {
        await using running = await startBackend(...vips, '--from', from, '--encap', kind);
        for (const vip of vips) assert.equal(get(network, vip), 'backend', vip);
        const { own, strangers, notForVip } = await countsOf(running);
        assert.deepEqual([strangers, notForVip], [0, 0]);
        assert.deepEqual(own?.dropped, {});
      });

      it('carries uploads whole, because clients are told what fits through the tunnel', async () => {
        await using _ = await startBackend(...vips, '--from', from, '--encap', kind);
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
      await using running = await startBackend(vips[0]!, vips[3]!, '--from', '10.2.0.0/24');
      assert.deepEqual(running.ready, {
        event: 'ready',
        vips: [
          { address: vips[0], mss: 1436 },
          { address: vips[3], mss: 1416 },
        ],
        tunnels: [{ from: '10.2.0.0/24', outer: 'ipv4', protocol: 'gre', by: 'sluice' }],
      });
      for (const vip of [vips[0]!, vips[3]!]) assert.equal(get(network, vip), 'backend');
    });

    it('answers clients itself: nothing from a VIP passes the balancer', { skip: noTshark }, async () => {
      await using _ = await startBackend(...vips, '--from', from);
      const file = join(directory.path, 'balancer.pcap');
      const capture = await startCapture(network.host('balancer'), 'router', file);
      for (const vip of vips) assert.equal(get(network, vip), 'backend');
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
          await using _ = await startBackend(vip, '--from', balancer[outer], ...flags);
          const file = join(directory.path, 'client.pcap');
          const capture = await startCapture(client, 'router', file);
          assert.equal(get(network, vip), 'backend');
          await capture.stop();
          const synAck = 'tcp.flags.syn == 1 && tcp.flags.ack == 1';
          assert.deepEqual(readCapture(file, synAck, 'tcp.options.mss_val'), [`${sizes[index]}`], vip);
        }
      });
    }
  });

  describe('sluice backend --encap l2', () => {
    const vip = '192.0.2.20';
    before(() => router.run(`ip route add ${vip} via ${backend[4]}`));
    after(() => router.run(`ip route delete ${vip}`));

    it('answers what comes to its link address', async () => {
      await using running = await startBackend(vip, '--encap', 'l2');
      assert.deepEqual(running.ready, { event: 'ready', vips: [{ address: vip, mss: null }], tunnels: [] });
      assert.equal(get(network, vip), 'backend');
    });

    it('writes a segment size that it is told, by nft where no packet has to be queued', {
      skip: noTshark,
    }, async () => {
      await using _ = await startBackend(vip, '--encap', 'l2', '--mss', '1200');
      const file = join(directory.path, 'client.pcap');
      const capture = await startCapture(client, 'router', file);
      assert.equal(get(network, vip), 'backend');
      await capture.stop();
      const synAck = 'tcp.flags.syn == 1 && tcp.flags.ack == 1';
      assert.deepEqual(readCapture(file, synAck, 'tcp.options.mss_val'), ['1200']);
      assert.match(here('nft list ruleset'), /table inet sluice-backend/);
    });

    it('tells nobody of the link that the VIP is here, neither asked nor by asking', {
      skip: noTshark,
    }, async () => {
      await using _ = await startBackend(vip, '--encap', 'l2');
      const file = join(directory.path, 'arp.pcap');
      // Now the router knows the backend, and the backend has forgotten the router.
      assert.equal(get(network, vip), 'backend');
      here('ip neighbour flush dev router');
      const capture = await startCapture(router, 'backend', file, 'arp');
      assert.equal(get(network, vip), 'backend');
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
}
