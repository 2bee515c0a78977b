/** Knot on a host of a test's network. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Network } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { startProgram } from './nat-support.ts';

const zone = `$ORIGIN example.test.
$TTL 60
@ SOA ns hostmaster 1 60 60 60 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.80
`;

/** Serves `example.test` on every address of a host, and answers from that which was asked. The answer ends it. */
export async function startKnot(network: Network, name: string): Promise<() => Promise<void>> {
  const directory = scratch();
  directory.write('example.test.zone', zone);
  const file = directory.write(
    'knot.conf',
    `server:
  rundir: ${directory.path}
  listen: [0.0.0.0@53, "::@53"]
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${directory.path}
zone:
  - domain: example.test
    storage: ${directory.path}
    file: example.test.zone
`,
  );
  return startProgram(network, name, 'knotd', ['-c', file], async () => {
    for (let attempt = 0; !network.host(name).run('ss -lun').includes(':53 '); attempt++) {
      assert.ok(attempt < 100, 'knot does not listen');
      await delay(50);
    }
  });
}
