/** HTTP through tunnels of one family, IPv4 and IPv6 in them, in the network of dsr-support.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Network } from '../support/netns.ts';
import type { Sluice } from '../support/sluice.ts';
import {
  backends,
  combinations,
  edgeConfiguration,
  type Peers,
  startEdge,
  startPeers,
  url,
} from './dsr-support.ts';
import { sha256OfPattern } from './nat-pattern.ts';

/** 2^30. */
const gibibyte = 1_073_741_824;

/** The tests, for a file on the balancer. */
export function httpTests(network: Network, outerVersion: 4 | 6): void {
  const client = network.host('client');
  const curl = (words: string): string => client.run(`curl -gsS --max-time 120 ${words}`);
  const sum = sha256OfPattern(gibibyte);
  let peers: Peers;
  let edge: Sluice;

  before(async () => {
    peers = await startPeers(network, backends, 'gre');
    edge = await startEdge(edgeConfiguration());
  });
  after(async () => {
    await edge.stop();
    await peers.stop();
  });

  for (const { name, vip } of combinations.filter(({ outer }) => outer === outerVersion)) {
    describe(`HTTP, IPv${name.replaceAll('-', ' ').replace('in ', 'in IPv')}`, () => {
      it('is answered by every backend, each with its share of the connections', () => {
        const answers = Array.from({ length: 40 }, () => curl(`${url(vip)}/`).trim());
        const ofOne = answers.filter((answer) => answer === 'one').length;
        assert.deepEqual(new Set(answers), new Set(backends));
        assert.ok(ofOne > 5 && ofOne < 35, `${ofOne} of 40 to one`);
      });

      it('carries a gibibyte to the client', () => {
        assert.equal(curl(`${url(vip)}/bytes/${gibibyte} | sha256sum`).split(' ')[0], sum);
      });

      it('carries a gibibyte to the backend', () => {
        const upload = `import sys
block = bytes((at * 31 + (at >> 8)) & 255 for at in range(251 * 257))
left = ${gibibyte}
while left > 0:
    sys.stdout.buffer.write(block[:left])
    left -= len(block)`;
        const put = `curl -gsS --max-time 120 -T - -H Expect: ${url(vip)}/put`;
        assert.equal(client.run(`python3 -c '${upload}' | ${put}`), sum);
      });
    });
  }
}
