/** UDP through mode dsr, in the network of dsr-support.ts: DNS under load, and datagrams in fragments. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseDnsperf } from '../support/dns.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import type { Sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import {
  backends,
  combinations,
  dsrNetwork,
  edgeConfiguration,
  type Peers,
  ports,
  startEdge,
  startPeers,
} from './dsr-support.ts';
import { startKnot } from './knot.ts';
import { python } from './nat-support.ts';

const withoutDns = missing('knotd', 'dnsperf');
const fragments = fileURLToPath(new URL('./fixtures/fragments.py', import.meta.url));

/** Below, at and above what fits through the tunnel and over the links. */
const sizes = [1, 1_200, 1_380, 1_400, 1_420, 1_440, 1_450, 1_470, 1_500, 3_000, 8_000, 40_000, 1];

/** One socket asks with datagrams of all these sizes: says for each who answered, and whether with the same bytes. */
function conversation(vip: string): string {
  return `s = socket.socket(socket.AF_INET6 if ":" in "${vip}" else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(("${vip}", ${ports.udp}))
for size in (${sizes.join(', ')}):
    data = bytes(97 + at % 26 for at in range(size))
    for turn in range(3):
        try:
            s.send(data)
            backend, _, _, echoed = s.recv(65536).split(b" ")
            break
        except OSError as error:
            # Told how long packets may be, a sender cuts the next datagram up itself.
            if error.errno != 90 or turn == 2: raise
    print(size, backend.decode(), echoed == data)`;
}

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const client = network.host('client');
  /** Queues and sockets on the way, with what they have dropped. */
  const whereLost = (): string =>
    ['balancer', ...backends]
      .map((name) => network.host(name).run('cat /proc/net/netfilter/nfnetlink_queue; ss -uanm'))
      .join('\n');
  for (const workers of [1, 2]) {
    describe(`UDP with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
      const directory = scratch();
      let peers: Peers;
      let edge: Sluice;
      let endKnots: (() => Promise<void>)[] = [];
      before(async () => {
        peers = await startPeers(network, backends, 'gre');
        if (withoutDns === false) {
          endKnots = await Promise.all(backends.map((name) => startKnot(network, name)));
        }
        edge = await startEdge(edgeConfiguration({ workers }));
      });
      after(async () => {
        for (const end of endKnots) await end();
        await edge.stop();
        await peers.stop();
        directory.remove();
      });

      for (const { name, vip } of combinations) {
        it(`loses no question of dnsperf, ${name}`, { skip: withoutDns }, () => {
          const questions = directory.write('questions', 'www.example.test A\n');
          // No more wait at once than one server's socket holds while another process has its core.
          const report = client.run(
            `dnsperf -s ${vip} -p ${ports.dns} -d ${questions} -l 3 -c 20 -q 60 -t 3 2>/dev/null`,
          );
          const { sent, lost } = parseDnsperf(report);
          assert.ok(sent > 1_000, `${sent} questions`);
          assert.equal(lost, 0, `${lost} of ${sent} lost; ${whereLost()}`);
        });

        const orders = { forwards: '0,1,2', backwards: '2,1,0', 'first in the middle': '1,0,2' };
        for (const [order, places] of Object.entries(orders)) {
          it(`carries a datagram in fragments to one backend, ${order}, ${name}`, () => {
            const source = vip.includes(':') ? 'fd01::2' : '10.1.0.2';
            const answer = client.run(
              `python3 ${fragments} ${source} ${vip} ${ports.udp} 3000 1024 ${places}`,
            );
            const [backend, seen, , payload = ''] = answer.trim().split(' ');
            assert.match(backend!, /^(one|two)$/);
            assert.equal(seen, source, 'backends see their clients');
            assert.equal(payload.length, 3_000);
            assert.ok('abcdefghijklmnopqrstuvwxyz'.repeat(116).startsWith(payload));
          });
        }

        it(`carries datagrams of every size, all of a flow to one backend, ${name}`, () => {
          const answers = python(client, conversation(vip)).trim().split('\n');
          assert.equal(answers.length, sizes.length);
          assert.deepEqual(new Set(answers.map((line) => line.split(' ')[2])), new Set(['True']));
          assert.equal(new Set(answers.map((line) => line.split(' ')[1])).size, 1, answers.join(', '));
        });
      }
    });
  }
}
