/**
 * Every packet that leaves the balancer has right checksums: captured where it arrives, at the client and at both
 * backends of the network of nat-support.ts, and recomputed by tshark.
 *
 * The balancer's own devices have no offload, so that its kernel cannot leave a checksum to be faked. Those of the
 * others have it in some rounds, which makes them send super-packets with partial checksums, and not in the last.
 * Clients are the client, the balancer itself, and a backend whose packets come back to it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readCapture, wrongChecksum } from '../support/capture.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { findProgram } from '../support/tools.ts';
import {
  backends,
  type Datapath,
  families,
  natNetwork,
  startDatapath,
  startOrigin,
  vipOf,
} from './nat-support.ts';

const absent = ['tshark', 'tcpdump', 'ethtool'].filter((name) => findProgram(name) === undefined);
const skip = absent.length > 0 && `needs ${absent.join(', ')}: apt-get install ${absent.join(' ')}`;
const fragments = fileURLToPath(new URL('./fixtures/fragments.py', import.meta.url));
const segments = fileURLToPath(new URL('./fixtures/segments.py', import.meta.url));
const protocols = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6'];

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const balancer = network.host('balancer');
  const ends = ['client', ...backends];
  let datapath: Datapath;

  before(async () => {
    for (const name of backends) await startOrigin(network, name);
    // A machine sends what it has a route for.
    for (const { vip } of families) balancer.run(`ip route replace ${vip} dev lo`);
    for (const name of ends) balancer.run(`ethtool -K ${name} tx off tso off gso off`);
  });

  const traffic = (): void => {
    for (const family of families) {
      const { client: source, vip } = family;
      const url = family.url(vip, 80);
      for (const host of [client, balancer, network.host('one')]) {
        host.run(`curl -gsS --max-time 10 -o /dev/null ${url}/bytes/300001`);
        assert.equal(host.run(`python3 ${segments} ${vip} 5300 1200 5`), '200 of 200\n', host.name);
      }
      for (let turn = 0; turn < 2; turn++) {
        client.run(`curl -gsS --max-time 10 -o /dev/null ${url}/bytes/1000001`);
        client.run(
          `head -c 1000001 /dev/zero | curl -gsS --max-time 10 -o /dev/null -T - -H Expect: ${url}/put`,
        );
        client.run(`python3 ${fragments} ${source} ${vip} 5300 ${turn} 1024 0`);
        client.run(`python3 ${fragments} ${source} ${vip} 5300 3000 1024 2,0,1`);
        // Answered by an ICMP error.
        client.run(`python3 -c '
import socket
s = socket.socket(socket.AF_INET${family.version === 4 ? '' : '6'}, socket.SOCK_DGRAM)
s.connect(("${vip}", 99))
s.send(b"x")'`);
      }
      client.run(`ping -c 3 -i 0.2 -s 999 ${vip}`);
    }
  };

  for (const [offload, workers] of [
    ['on', 1],
    ['on', 2],
    ['off', 2],
  ] as const) {
    describe(`with offload ${offload} at client and backends, ${workers} worker(s)`, { skip }, () => {
      before(async () => {
        const ports = [
          ['tcp', 80, 8080],
          ['udp', 5300, 5300],
          ['udp', 99, 99],
        ] as const;
        const vips = families.flatMap((family) =>
          ports.map(([protocol, port, backendPort]) => vipOf(family, protocol, port, backendPort)),
        );
        datapath = await startDatapath(vips, { workers });
      });
      after(() => datapath.stop());

      it('no packet arrives with a wrong checksum', async () => {
        for (const name of ends) network.host(name).run(`ethtool -K balancer tx ${offload}`);
        const directory = scratch();
        const captures = await Promise.all(
          ends.map(async (name) => {
            const file = join(directory.path, `${name}.pcap`);
            const words = ['-i', 'balancer', '-Q', 'in', '-U', '-B', '65536', '-w', file];
            const tcpdump = network
              .host(name)
              .spawn('tcpdump', words, { stdio: ['ignore', 'ignore', 'pipe'] });
            await once(tcpdump.stderr!, 'data');
            return { file, tcpdump };
          }),
        );
        traffic();
        await delay(500);
        const seen = new Set<string>();
        for (const { file, tcpdump } of captures) {
          tcpdump.kill('SIGINT');
          await once(tcpdump, 'close');
          assert.deepEqual(readCapture(file, wrongChecksum, 'frame.number'), [], file);
          for (const protocol of protocols) {
            const good = `${protocol}.checksum.status == "Good"`;
            if (!seen.has(protocol) && readCapture(file, good, 'frame.number').length > 0) seen.add(protocol);
          }
        }
        assert.deepEqual(seen, new Set(protocols));
      });
    });
  }
}
