/** A link so slow that datagrams wait in the kernel until their socket can hold no more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BatchUdp } from '../../../lib/proxy/socket/batch-udp.ts';
import { sendQueueFull, type UdpTransport } from '../../../lib/proxy/socket/datagram.ts';
import { nodeUdp } from '../../../lib/proxy/socket/node-udp.ts';
import { inside } from '../../support/inside-netns.ts';
import { connectFor } from './udp-contract.ts';

const network = inside(import.meta.url, 'here', {
  links: [{ ends: { here: '10.1.0.1/24', there: '10.1.0.2/24' } }],
});

if (network !== undefined) {
  const { run } = network.host('here');
  run('ip neighbour add 10.1.0.2 lladdr 02:00:00:00:00:02 dev there');
  let skip: string | false = false;
  try {
    run('tc qdisc add dev there root tbf rate 8kbit burst 2kb limit 100mb');
  } catch {
    skip = 'the kernel cannot slow a link down (sch_tbf)';
  }

  for (const [name, transport] of [
    ['Node', nodeUdp],
    ['batches', new BatchUdp()],
  ] as [string, UdpTransport][]) {
    describe(`a socket of ${name} whose queue is full`, { skip }, () => {
      it('says so, and never waits', (t) => {
        const { owner, send } = connectFor(t, transport, '10.1.0.2', 9);
        const results = Array.from({ length: 2_000 }, () => send(Buffer.alloc(1_000)));
        const firstRefused = results.indexOf(sendQueueFull);
        assert.ok(firstRefused > 50, `${firstRefused} went`);
        assert.deepEqual(new Set(results), new Set([null, sendQueueFull]));
        assert.deepEqual(owner.failures, []);
      });
    });
  }
}
