/** Checks of mode dsr, each through the tunnel to the VIP, in the network of dsr-support.ts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../lib/control/client.ts';
import type { BackendView } from '../../lib/model/view.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import {
  addressOf,
  combinations,
  dsrNetwork,
  type Peers,
  ports,
  startPeers,
  startTunnelEnd,
  vips,
} from './dsr-support.ts';
import { startOriginServer } from './nat-cli.ts';
import { until } from './support.ts';

/** The first line that nat-origin.ts says on 9004, and what it says to a datagram. */
const checks = {
  tcp: `{ type: tcp`,
  http: `{ type: http, path: /, body: one`,
  expect: `{ type: expect, expect: one`,
  udp: `{ type: udp, send: "78", expect: "${Buffer.from('one').toString('hex')}"`,
} as const;

type Kind = keyof typeof checks;

const portOf: Readonly<Record<Kind, number>> = {
  tcp: ports.http,
  http: ports.http,
  expect: ports.echo,
  udp: ports.udp,
};

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const directory = scratch();
  const control = join(directory.path, 'edge.sock');
  let peers: Peers;
  let edge: Sluice;

  /** A service for each combination of families, checked in one way. */
  const start = async (kind: Kind, timing: string): Promise<void> => {
    const services = combinations.map(({ name, vip, outer }) => {
      const at = `${vip.includes(':') ? `[${vip}]` : vip}:${portOf[kind]}`;
      const address = addressOf.one[outer];
      return `
  - name: ${name}
    mode: dsr
    listen: ${JSON.stringify(`${kind === 'udp' ? 'udp' : 'tcp'}://${at}`)}
    backends: [${JSON.stringify(address.includes(':') ? `[${address}]` : address)}]
    check: ${checks[kind]}, ${timing} }`;
    });
    const file = directory.write('edge.yaml', `services:${services.join('')}\n`);
    edge = await sluice(['up', '-f', file, '--control', control]);
  };
  const backends = async (): Promise<readonly BackendView[]> => {
    const client = new ControlClient(control);
    try {
      return await client.backends();
    } finally {
      await client.close();
    }
  };
  const untilSaid = (pattern: RegExp): Promise<void> =>
    until(`all checks say ${pattern}`, async () =>
      (await backends()).every(({ health }) => pattern.test(health.last)),
    );

  before(async () => {
    peers = await startPeers(network, ['one'], 'gre');
  });
  afterEach(() => edge.stop());
  after(async () => {
    await peers.stop();
    directory.remove();
  });

  for (const kind of ['tcp', 'http', 'expect', 'udp'] as const) {
    describe(`a check by ${kind}`, () => {
      it('tells a tunnel that is dead from a service that is down', async () => {
        await start(kind, 'interval: 100ms, timeout: 500ms, rise: 1, fall: 1');
        await untilSaid(/^ok$/);
        await peers.origins.get('one')!.stop();
        await untilSaid(/^service down: connection refused$/);
        (peers.origins as Map<string, unknown>).set('one', await startOriginServer(network, 'one', vips));
        await untilSaid(/^ok$/);
        const end = peers.ends.get('one')!;
        end.kill('SIGKILL');
        await end.exited;
        await untilSaid(/^tunnel dead: timed out$/);
        const { stdout } = await runSluice(['backends', '--control', control]);
        assert.match(stdout, /down .* tunnel dead: timed out/);
        (peers.ends as Map<string, Sluice>).set('one', await startTunnelEnd(network, 'one', 'gre'));
        await untilSaid(/^ok$/);
      });

      it('can be made again and again, without a failure', async () => {
        await start(kind, 'interval: 10ms, timeout: 2s, rise: 1, fall: 1');
        await untilSaid(/^ok$/);
        const since = Date.now();
        await delay(5_000);
        for (const { health } of await backends()) {
          assert.equal(health.last, 'ok');
          assert.ok(health.sinceMs >= Date.now() - since - 1_000, 'it has not been down');
        }
      });
    });
  }
}
