/** Backends and workers that come and go under the load of mode nat, in the network of nat-support.ts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import workerThreads, { Worker } from 'node:worker_threads';
import type { NatVip } from '../../lib/datapath/nat/settings.ts';
import type { VipBackend } from '../../lib/datapath/settings.ts';
import { inside } from '../support/inside-netns.ts';
import { missing } from '../support/tools.ts';
import { parseWrk } from '../support/wrk.ts';
import {
  backendOf,
  backends,
  type Datapath,
  families,
  logged,
  natNetwork,
  startDatapath,
  startOrigin,
  vipOf,
} from './nat-support.ts';

/** Every thread that is started from now on, so that it can be killed behind the packet path's back. */
const threads: Worker[] = [];
workerThreads.Worker = class extends Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    threads.push(this);
  }
};
syncBuiltinESMExports();

const withoutWrk = missing('wrk');

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  let datapath: Datapath;
  let origins: (() => Promise<void>)[] = [];

  /** wrk in the client's network for three seconds; 32 connections that are kept. */
  const load = async (url: string): Promise<ReturnType<typeof parseWrk>> => {
    const wrk = client.spawn('wrk', ['-t1', '-c32', '-d3s', '--latency', url], { stdio: 'pipe' });
    let report = '';
    wrk.stdout!.setEncoding('utf8').on('data', (text: string) => {
      report += text;
    });
    await once(wrk, 'close');
    return parseWrk(report);
  };
  const noErrors = { connect: 0, read: 0, write: 0, timeout: 0, status: 0 };

  for (const workers of [1, 2]) {
    describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
      before(async () => {
        // New ones: those before remember connections that only they have, as to them nobody has said goodbye.
        origins = [];
        for (const name of backends) origins.push(await startOrigin(network, name));
        datapath = await startDatapath(all(), { workers });
      });
      after(async () => {
        for (const end of origins) await end();
        await datapath.stop();
      });
      beforeEach(() => datapath.publish(all()));

      for (const family of families) {
        const url = `${family.url(family.vip, 80)}/`;
        const http = vipOf(family, 'tcp', 80, 8080);

        describe(`over IPv${family.version}`, () => {
          it('a backend that is drained keeps its connections and gets no more', {
            skip: withoutWrk,
          }, async () => {
            const loading = load(url);
            await delay(1_000);
            await datapath.publish(all({ weight: 0 }));
            const answers = Array.from({ length: 10 }, () => client.run(`curl -gsS --max-time 5 ${url}`));
            assert.deepEqual(new Set(answers), new Set(['two\n']));
            const { flows } = datapath.backendTraffic([http], backendOf(family, 'one', 8080));
            assert.ok(flows > 0, 'kept its connections');
            assert.deepEqual((await loading).errors, noErrors);
          });

          it('a backend that is added gets new connections and takes none away', {
            skip: withoutWrk,
          }, async () => {
            await datapath.publish(all({ gone: true }));
            const loading = load(url);
            await delay(1_000);
            await datapath.publish(all());
            const answers = Array.from({ length: 30 }, () => client.run(`curl -gsS --max-time 5 ${url}`));
            assert.deepEqual(new Set(answers), new Set(['one\n', 'two\n']));
            assert.deepEqual((await loading).errors, noErrors);
          });

          it('a worker that dies is replaced, and no connection with it', { skip: withoutWrk }, async () => {
            const before = datapath.workerRestarts;
            const loading = load(url);
            await delay(1_500);
            const [thread] = threads.splice(-workers, 1);
            await thread!.terminate();
            const { errors, requests } = await loading;
            assert.deepEqual(errors, noErrors);
            assert.ok(requests > 1_000);
            assert.equal(datapath.workerRestarts, before + 1);
            assert.ok(logged.some((line) => line.includes('is replaced')));
          });

          it('connections to a backend that goes down are reset, and UDP flows move', async () => {
            // It waits in the middle for a byte from us, and goes on when the backend is down.
            const talk = client.spawn(
              'python3',
              [
                '-c',
                `import socket, sys
kind = socket.AF_INET${family.version === 4 ? '' : '6'}
held = []
for turn in range(16):
    s = socket.socket(kind)
    s.settimeout(5)
    s.connect(("${family.vip}", 9003))
    s.send(b"x")
    s.recv(9)
    u = socket.socket(kind, socket.SOCK_DGRAM)
    u.settimeout(5)
    u.connect(("${family.vip}", 5300))
    u.send(b"x")
    held.append((s, u, u.recv(99).split()[0]))
print("held", flush=True)
sys.stdin.read(1)
resets = 0
for s, u, name in held:
    try:
        s.send(b"y")
        s.recv(9)
    except ConnectionResetError:
        resets += 1
    u.send(b"y")
    assert u.recv(99).split()[0] == b"two"
print(resets, sum(name == b"one" for s, u, name in held))`,
              ],
              { stdio: ['pipe', 'pipe', 'inherit'] },
            );
            let said = '';
            talk.stdout!.setEncoding('utf8').on('data', (text: string) => {
              said += text;
            });
            await once(talk.stdout!, 'data');
            const echo = vipOf(family, 'tcp', 9003, 9003);
            const lost = datapath.backendTraffic([echo], backendOf(family, 'one', 9003)).flows;
            await datapath.publish(all({ up: false }));
            talk.stdin!.end('x');
            await once(talk, 'close');
            const [resets, moved] = said.split('\n')[1]!.split(' ').map(Number);
            assert.ok(lost > 0 && moved! > 0);
            assert.equal(resets, lost);
          });
        });
      }
    });
  }
}

/** All services, with a change to backend `one`. */
function all(change: Partial<VipBackend> & { readonly gone?: boolean } = {}): readonly NatVip[] {
  const { gone = false, ...fields } = change;
  return families.flatMap((family) =>
    (
      [
        ['tcp', 80, 8080],
        ['tcp', 9003, 9003],
        ['udp', 5300, 5300],
      ] as const
    ).map(([protocol, port, backendPort]) =>
      vipOf(family, protocol, port, backendPort, {
        backends: [
          ...(gone ? [] : [backendOf(family, 'one', backendPort, fields)]),
          backendOf(family, 'two', backendPort),
        ],
      }),
    ),
  );
}
