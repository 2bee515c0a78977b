/** UDP through mode nat, in the network of nat-support.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseDnsperf } from '../support/dns.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { missing } from '../support/tools.ts';
import { startKnot } from './knot.ts';
import {
  type BackendName,
  backends,
  type Datapath,
  families,
  natNetwork,
  startDatapath,
  startOrigin,
  vipOf,
} from './nat-support.ts';

const fragments = fileURLToPath(new URL('./fixtures/fragments.py', import.meta.url));

const withoutDns = missing('knotd', 'dnsperf');

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  let datapath: Datapath;

  before(async () => {
    for (const name of backends) {
      await startOrigin(network, name);
      if (withoutDns === false) await startKnot(network, name);
    }
  });

  for (const workers of [1, 2]) {
    describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
      before(async () => {
        const vips = families.flatMap((family) => [53, 5300].map((port) => vipOf(family, 'udp', port, port)));
        datapath = await startDatapath(vips, { workers });
      });
      after(() => datapath.stop());

      for (const family of families) {
        describe(`UDP over IPv${family.version}`, () => {
          const orders = { forwards: '0,1,2', backwards: '2,1,0', 'first in the middle': '1,0,2' };
          for (const [name, order] of Object.entries(orders)) {
            it(`carries a datagram in fragments, ${name}, and its answer`, () => {
              const { client: source, vip } = family;
              const answer = client.run(`python3 ${fragments} ${source} ${vip} 5300 3000 1024 ${order}`);
              const [backend, seen, , payload = ''] = answer.trim().split(' ');
              assert.equal(seen, family.snat[backend as BackendName]);
              assert.equal(payload.length, 3_000);
              assert.ok('abcdefghijklmnopqrstuvwxyz'.repeat(116).startsWith(payload));
            });
          }

          it('loses no question of dnsperf', { skip: withoutDns }, async () => {
            const questions = scratch().write('questions', 'www.example.test A\n');
            const report = client.run(
              `dnsperf -s ${family.vip} -p 53 -d ${questions} -l 2 -c 20 -q 200 -t 3 2>/dev/null`,
            );
            const { sent, lost } = parseDnsperf(report);
            assert.ok(sent > 1_000, `${sent} questions`);
            assert.equal(lost, 0);
            assert.deepEqual(datapath.drops(vipOf(family, 'udp', 53, 53)), {});
          });
        });
      }
    });
  }
}
