/** HTTP through mode nat, in the network of nat-support.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import { sha256OfPattern } from './nat-pattern.ts';
import {
  backends,
  type Datapath,
  families,
  natNetwork,
  startDatapath,
  startOrigin,
  vipOf,
} from './nat-support.ts';

/** 2^30. */
const gibibyte = 1_073_741_824;

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  let datapath: Datapath;

  before(async () => {
    for (const name of backends) await startOrigin(network, name);
    datapath = await startDatapath(families.map((family) => vipOf(family, 'tcp', 80, 8080)));
  });
  after(() => datapath.stop());

  for (const family of families) {
    const url = family.url(family.vip, 80);
    const curl = (words: string): string => client.run(`curl -gsS --max-time 60 ${words}`);

    describe(`HTTP over IPv${family.version}`, () => {
      it('is answered by every backend, each with its share of the connections', () => {
        const answers = Array.from({ length: 40 }, () => curl(`${url}/`).trim());
        const ofOne = answers.filter((name) => name === 'one').length;
        assert.deepEqual(new Set(answers), new Set(backends));
        assert.ok(ofOne > 5 && ofOne < 35, `${ofOne} of 40 to one`);
      });

      it('carries a gibibyte to the client', () => {
        const sum = curl(`${url}/bytes/${gibibyte} | sha256sum`).split(' ')[0];
        assert.equal(sum, sha256OfPattern(gibibyte));
      });

      it('carries a gibibyte to the backend', () => {
        const upload = `import sys
block = bytes((at * 31 + (at >> 8)) & 255 for at in range(251 * 257))
left = ${gibibyte}
while left > 0:
    sys.stdout.buffer.write(block[:left])
    left -= len(block)`;
        const sum = client.run(
          `/usr/bin/env python3 -c '${upload}' | curl -gsS --max-time 60 -T - -H Expect: ${url}/put`,
        );
        assert.equal(sum, sha256OfPattern(gibibyte));
      });

      it('is counted', () => {
        const { opened, bytesIn, bytesOut } = datapath.vipTraffic(vipOf(family, 'tcp', 80, 8080));
        assert.equal(opened, 42);
        assert.ok(bytesIn > gibibyte && bytesOut > gibibyte);
        assert.deepEqual(datapath.drops(vipOf(family, 'tcp', 80, 8080)), {});
      });
    });
  }
}
