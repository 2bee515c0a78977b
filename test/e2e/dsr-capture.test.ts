/** What passes the balancer of dsr-support.ts on the wire: requests alone, and every checksum of them right. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readCapture, startCapture, wrongChecksum } from '../support/capture.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import type { Sluice } from '../support/sluice.ts';
import { missing, toolPath } from '../support/tools.ts';
import {
  backends,
  balancer,
  combinations,
  dsrNetwork,
  edgeConfiguration,
  forbidOffload,
  type Peers,
  ports,
  startEdge,
  startPeers,
  url,
  vips,
} from './dsr-support.ts';
import { python } from './nat-support.ts';

const skip = missing('tshark', 'tcpdump', 'ethtool');

/** The packets of a capture that match, dissected with all checksums verified: number, protocol and what is told of it. */
function packetsOf(file: string, filter: string): string[] {
  // Streams are not put together, in which each segment would be twice: before the tunnel and in it.
  const verify = [
    ...['ip', 'tcp', 'udp'].map((each) => `${each}.check_checksum:TRUE`),
    'tcp.desegment_tcp_streams:FALSE',
  ];
  const preferences = verify.flatMap((each) => ['-o', each]);
  const fields = ['frame.number', '_ws.col.Protocol', '_ws.col.Info'].flatMap((each) => ['-e', each]);
  const words = [...preferences, '-r', file, '-Y', filter, '-T', 'fields', ...fields];
  return execFileSync(toolPath('tshark'), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter(Boolean);
}

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  for (const encapsulation of ['gre', 'ipip'] as const) {
    describe(`the balancer's link, --encap ${encapsulation}`, { skip }, () => {
      const directory = scratch();
      const file = join(directory.path, 'balancer.pcap');
      const client = network.host('client');
      let peers: Peers;
      let edge: Sluice;
      let capture: Awaited<ReturnType<typeof startCapture>>;

      before(async () => {
        forbidOffload(network);
        peers = await startPeers(network, backends, encapsulation);
        edge = await startEdge(edgeConfiguration({ encapsulation }));
        capture = await startCapture(network.host('balancer'), 'router', file);
        for (const { vip } of combinations) {
          // From ports that no protocol of the dissector has for its own.
          const curl = 'curl -gsS --max-time 20 --local-port 61000-61999';
          for (let turn = 0; turn < 4; turn++) {
            assert.match(client.run(`${curl} ${url(vip)}/`), /^(one|two)\n$/);
          }
          client.run(`head -c 200000 /dev/zero | ${curl} -T - -H Expect: ${url(vip)}/put`);
          python(
            client,
            `s = socket.socket(socket.AF_INET6 if ":" in "${vip}" else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.bind(("", 61000))
s.connect(("${vip}", ${ports.udp}))
for size in (1, 2, 3, 500, 501, 3000):
    for turn in range(3):
        try:
            s.send(b"x" * size)
            s.recv(65536)
            break
        except OSError as error:
            # Fragments of IPv6 are cut by their sender alone, which has just been told how small.
            if error.errno != 90 or turn == 2: raise`,
          );
          client.run(`ping -c 2 -W 5 ${vip}`);
        }
        await capture.stop();
      });
      after(async () => {
        await capture.stop();
        await edge.stop();
        await peers.stop();
        directory.remove();
      });

      it('has no answer on it', () => {
        for (const vip of vips) {
          const field = vip.includes(':') ? 'ipv6' : 'ip';
          const requests = readCapture(file, `${field}.dst == ${vip} && !icmp && !icmpv6`, 'frame.number');
          assert.ok(requests.length > 100, `${requests.length} requests to ${vip}`);
          const own = balancer[vip.includes(':') ? 6 : 4];
          // Echo is answered by the balancer itself, and to its checks it has an answer.
          const answers = `${field}.src == ${vip} && ${field}.dst != ${own} && (tcp || udp)`;
          assert.deepEqual(readCapture(file, answers, 'frame.number'), []);
        }
      });

      it('has tunnels of every kind on it', () => {
        const protocol = encapsulation === 'gre' ? 'gre' : 'tcp';
        for (const [outer, inner] of [
          ['ip.src == 10.2.0.2', 'ip.dst == 192.0.2.10'],
          ['ipv6.src == fd02::2', 'ip.dst == 192.0.2.11'],
          ['ipv6.src == fd02::2', 'ipv6.dst == 2001:db8::10'],
          ['ip.src == 10.2.0.2', 'ipv6.dst == 2001:db8::11'],
        ] as const) {
          const tunnelled = packetsOf(file, `${outer} && ${inner} && ${protocol}`);
          assert.ok(tunnelled.length > 20, `${outer}, ${inner}`);
        }
      });

      it('has no wrong checksum on it, inside or outside of a tunnel', () => {
        const good = packetsOf(file, 'tcp.checksum.status == "Good" && ip.checksum.status == "Good"');
        assert.ok(good.length > 100, `${good.length} good ones`);
        assert.deepEqual(packetsOf(file, wrongChecksum), []);
        assert.deepEqual(packetsOf(file, 'ip.checksum_bad.expert || _ws.malformed'), []);
      });
    });
  }
}
