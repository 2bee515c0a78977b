/** HTTP through mode nat, in the network of nat-support.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import {
  backends,
  type Datapath,
  families,
  natNetwork,
  startDatapath,
  startOrigin,
  vipOf,
} from './nat-support.ts';

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
    describe(`HTTP over IPv${family.version}`, () => {
      it('is answered by a backend', () => {
        const answer = client.run(`curl -gsS --max-time 5 ${family.url(family.vip, 80)}/`);
        assert.match(answer, /^(one|two)\n$/);
      });
    });
  }
}
