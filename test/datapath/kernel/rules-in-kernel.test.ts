/**
 * Which packets the kernel sends to which queue, by each tool that this machine has.
 *
 *   client 10.1.0.2 ──── 10.1.0.1 balancer 10.2.0.1 ──── 10.2.0.2 backend
 *         fd01::2        fd01::1           fd02::1        fd02::2
 *                        lo: 192.0.2.10, 2001:db8::10 (VIPs)
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { queueRules } from '../../../lib/datapath/kernel/queue-rules.ts';
import type { RuleToolName } from '../../../lib/datapath/kernel/rule-tool.ts';
import { tunnelError } from '../../../lib/datapath/kernel/selectors.ts';
import { inside } from '../../support/inside-netns.ts';
import { type Courier, type Datagram, startCourier } from './support/courier.ts';
import { type Parts, rules } from './support/descriptions.ts';
import { countingTool, queued } from './support/queue-counters.ts';

/** Of ICMP errors that tests provoke, the kernel would hold back all but six a second. */
const unlimitedErrors = ['net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0'];

const network = inside(import.meta.url, 'balancer', {
  links: [
    { ends: { client: '10.1.0.2/24 fd01::2/64', balancer: '10.1.0.1/24 fd01::1/64' } },
    { ends: { balancer: '10.2.0.1/24 fd02::1/64', backend: '10.2.0.2/24 fd02::2/64' } },
  ],
  routes: {
    client: ['default via 10.1.0.1', 'default via fd01::1'],
    backend: ['default via 10.2.0.1', 'default via fd02::1'],
  },
  sysctls: { client: unlimitedErrors, backend: unlimitedErrors },
});

/** Nothing listens there: a datagram to it is answered by an ICMP error. */
const closedPort = 9;

const families = [
  {
    family: 4,
    vip: '192.0.2.10',
    client: '10.1.0.2',
    snat: '10.2.0.1',
    near: '10.1.0.1',
    backend: '10.2.0.2',
  },
  { family: 6, vip: '2001:db8::10', client: 'fd01::2', snat: 'fd02::1', near: 'fd01::1', backend: 'fd02::2' },
] as const;

const places = {
  vips: families.flatMap(({ vip }) => [
    { address: vip, protocol: 'udp' as const, port: 53 },
    { address: vip, protocol: 'tcp' as const, port: 80 },
  ]),
  snatAddresses: families.map(({ snat }) => snat),
  routedBackends: families.map(({ backend }) => ({ address: backend, protocol: 'udp' as const, port: 5353 })),
} satisfies Parts;

const oneWorker = rules(places);

const twoWorkers = rules({
  ...places,
  workers: 2,
  snatPorts: [
    [20_000, 24_999],
    [25_000, 29_999],
  ],
});

if (network !== undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  let couriers: Record<'client' | 'balancer' | 'backend', Courier>;

  before(() => {
    network
      .host('balancer')
      .run('ip address add 192.0.2.10/32 dev lo; ip address add 2001:db8::10/128 dev lo');
    couriers = {
      client: startCourier(network.host('client')),
      balancer: startCourier(network.host('balancer')),
      backend: startCourier(network.host('backend')),
    };
  });

  after(() => {
    for (const courier of Object.values(couriers)) courier.stop();
    rmSync(directory, { recursive: true });
  });

  for (const tool of ['iptables', 'iptables-legacy', 'nft'] as const satisfies readonly RuleToolName[]) {
    const absent = spawnSync(tool, ['--version']).error !== undefined && `${tool} is not installed`;

    describe(`rules of ${tool}`, { skip: absent }, () => {
      const ruleTool = countingTool(tool, directory);

      /** How many packets come to each worker's queue by that; `expected` is how many it takes to look no longer. */
      const counted = async (workers: number, expected: number, act: () => unknown): Promise<number[]> => {
        const was = queued(tool, 'sluice-t', workers);
        const since = (): number[] =>
          queued(tool, 'sluice-t', workers).map((count, worker) => count - was[worker]!);
        await act();
        const deadline = Date.now() + 3_000;
        // What a packet provokes on another host has to find its way back.
        if (expected === 0) await sleep(20);
        while (sum(since()) < expected && Date.now() < deadline) await sleep(5);
        return since();
      };
      const sent = async (
        host: keyof typeof couriers,
        datagram: Datagram,
        expected: number,
      ): Promise<number[]> => counted(1, expected, () => couriers[host].send(datagram));

      after(() => ruleTool.remove('t'));

      describe('for one worker', () => {
        before(() => ruleTool.apply('t', queueRules('t', oneWorker)));

        for (const { family, vip, client, snat, near, backend } of families) {
          const rows: [name: string, queued: number, keyof typeof couriers, Datagram][] = [
            ['a request to a VIP', 1, 'client', { to: vip, toPort: 53 }],
            ['one from the machine itself', 1, 'balancer', { to: vip, toPort: 53 }],
            ['not one to another port', 0, 'client', { to: vip, toPort: 54 }],
            ['an answer to a SNAT port', 1, 'backend', { to: snat, toPort: 20_000 }],
            ['not one to a port out of the range', 0, 'backend', { to: snat, toPort: 30_000 }],
            ['not one to another address', 0, 'backend', { to: near, toPort: 20_000 }],
            [
              'an answer that a backend sends to a client',
              1,
              'backend',
              { fromPort: 5353, to: client, toPort: 4000 },
            ],
            ['nothing else of that backend', 0, 'backend', { fromPort: 5354, to: client, toPort: 4000 }],
            [
              'an error over what a VIP has sent',
              1,
              'balancer',
              { from: vip, fromPort: 53, to: client, toPort: closedPort },
            ],
            [
              'not one over another port of the VIP’s',
              0,
              'balancer',
              { from: vip, fromPort: 54, to: client, toPort: closedPort },
            ],
            [
              'an error over what a SNAT port has sent',
              1,
              'balancer',
              { from: snat, fromPort: 20_000, to: backend, toPort: closedPort },
            ],
            [
              'not one over what the machine itself has sent',
              0,
              'balancer',
              { from: snat, fromPort: 19_999, to: backend, toPort: closedPort },
            ],
            ['an error over what a client has sent a backend', 1, 'client', { to: backend, toPort: 5353 }],
            ['not one over another port of the backend’s', 0, 'client', { to: backend, toPort: 5354 }],
            ['all fragments of a request', 3, 'client', { to: vip, toPort: 53, size: 4000 }],
            ['all fragments to a VIP, even of others', 3, 'client', { to: vip, toPort: 54, size: 4000 }],
            ['all fragments of an answer', 3, 'backend', { to: snat, toPort: 20_000, size: 4000 }],
          ];
          for (const [name, count, host, datagram] of rows) {
            it(`queue ${name}, IPv${family}`, async () => {
              assert.deepEqual(await sent(host, datagram, count), [count]);
            });
          }

          it(`queue an echo request to a VIP and not one to another address, IPv${family}`, async () => {
            const ping = (to: string) => () =>
              void spawnSync('nsenter', [
                `--net=/run/netns/${network.host('client').namespace}`,
                ...['ping', '-c1', '-W0.1', to],
              ]);
            assert.deepEqual(await counted(1, 1, ping(vip)), [1]);
            assert.deepEqual(await counted(1, 0, ping(near)), [0]);
          });

          it(`queue a SYN, IPv${family}`, async () => {
            const connect = `require('net').connect(80, '${vip}').on('error', () => {}); setTimeout(process.exit, 50)`;
            const act = () => void network.host('client').run(`${process.execPath} -e "${connect}"`);
            assert.deepEqual(await counted(1, 1, act), [1]);
          });
        }

        for (const { family, client, near } of families) {
          it(`queue errors over tunnels, and over nothing else, IPv${family}`, async () => {
            const selectors = [tunnelError(near, 47)];
            await ruleTool.apply('t', queueRules('t', { ...oneWorker, selectors }));
            try {
              // No host takes these protocols, and each says so.
              const errorsOver = (protocol: number, expected: number): Promise<number[]> =>
                counted(1, expected, () => {
                  const kind = family === 4 ? 'AF_INET' : 'AF_INET6';
                  const send = `s = socket(${kind}, SOCK_RAW, ${protocol}); s.sendto(bytes(24), ("${client}", 0))`;
                  network.host('balancer').run(`python3 -c 'from socket import *; ${send}'`);
                });
              assert.deepEqual(await errorsOver(47, 1), [1]);
              assert.deepEqual(await errorsOver(200, 0), [0]);
            } finally {
              await ruleTool.apply('t', queueRules('t', oneWorker));
            }
          });
        }

        it('leave neighbour discovery alone', async () => {
          network.host('client').run('ip neighbour flush dev balancer');
          assert.deepEqual(await sent('client', { to: 'fd01::1', toPort: closedPort }, 0), [0]);
          assert.match(network.host('client').run('ip neighbour show fd01::1'), /lladdr/);
        });

        it('are replaced as a whole, and taken away as a whole, any number of times', async () => {
          const vips = [{ address: '192.0.2.10', protocol: 'udp', port: 54 }] as const;
          await ruleTool.apply('t', queueRules('t', rules({ vips })));
          await ruleTool.apply('t', queueRules('t', rules({ vips })));
          assert.deepEqual(await sent('client', { to: '192.0.2.10', toPort: 54 }, 1), [1]);
          assert.deepEqual(await sent('client', { to: '192.0.2.10', toPort: 53 }, 0), [0]);
          assert.deepEqual(await sent('client', { to: '2001:db8::10', toPort: 53 }, 0), [0]);
          await ruleTool.remove('t');
          await ruleTool.remove('t');
          assert.doesNotMatch(everyRule(), /sluice/);
        });

        it('are left as they were when the new ones are refused', async () => {
          await ruleTool.apply('t', queueRules('t', oneWorker));
          const nonsense = rules({ vips: [{ address: '192.0.2.10', protocol: 'udp', port: Number.NaN }] });
          await assert.rejects(ruleTool.apply('t', queueRules('t', nonsense)), { name: 'CommandError' });
          assert.deepEqual(await sent('client', { to: '192.0.2.10', toPort: 53 }, 1), [1]);
        });
      });

      describe('for two workers', () => {
        before(() => ruleTool.apply('t', queueRules('t', twoWorkers)));

        /** The one worker that got the packet. */
        const workerOf = async (host: keyof typeof couriers, datagram: Datagram): Promise<number> => {
          const counts = await counted(2, 1, () => couriers[host].send(datagram));
          assert.equal(sum(counts), 1, `${JSON.stringify(datagram)}: ${counts}`);
          return counts.indexOf(1);
        };

        for (const { family, vip, client, snat, backend } of families) {
          it(`spread the ports of one client over both, IPv${family}`, async () => {
            const counts = await counted(2, 32, async () => {
              for (let port = 4000; port < 4032; port += 1) {
                await couriers.client.send({ fromPort: port, to: vip, toPort: 53 });
              }
            });
            assert.equal(sum(counts), 32);
            assert.ok(Math.min(...counts) >= 4, `${counts}`);
          });

          it(`send everything of one client's port to one worker, IPv${family}`, async () => {
            for (const port of [4000, 4001, 4002, 4003, 4004]) {
              const worker = await workerOf('client', { fromPort: port, to: vip, toPort: 53 });
              const sameWorker = {
                'in fragments': ['client', { fromPort: port, to: vip, toPort: 53, size: 4000 }],
                'an answer': ['backend', { fromPort: 5353, to: client, toPort: port }],
                'an error over an answer': [
                  'balancer',
                  { from: vip, fromPort: 53, to: client, toPort: port },
                ],
                'an error over a request': ['client', { fromPort: port, to: backend, toPort: 5353 }],
              } as const;
              for (const [name, [host, datagram]] of Object.entries(sameWorker)) {
                assert.equal(await workerOf(host, datagram), worker, `${name}, port ${port}`);
              }
            }
          });

          it(`send answers, and errors over requests, by the SNAT port, IPv${family}`, async () => {
            for (const [port, worker] of [
              [20_000, 0],
              [24_999, 0],
              [25_000, 1],
              [29_999, 1],
            ] as const) {
              assert.equal(await workerOf('backend', { to: snat, toPort: port }), worker);
              assert.equal(await workerOf('backend', { to: snat, toPort: port, size: 4000 }), worker);
              const refused = { from: snat, fromPort: port, to: backend, toPort: closedPort };
              assert.equal(await workerOf('balancer', refused), worker);
            }
          });
        }

        it('leave no mark on a packet for the hooks that follow', { skip: tool === 'nft' }, async () => {
          const marked = '-m mark ! --mark 0 -j ACCEPT';
          execFileSync(tool, `-A INPUT ${marked}`.split(' '));
          await ruleTool.apply('t', queueRules('t', { ...twoWorkers, onFailure: 'bypass' }));
          await workerOf('client', { to: '192.0.2.10', toPort: 53 });
          const rule = execFileSync(`${tool}-save`, ['-c', '-t', 'filter'], { encoding: 'utf8' });
          execFileSync(tool, `-D INPUT ${marked}`.split(' '));
          assert.match(rule, /^\[0:0\] -A INPUT -m mark ! --mark 0x0 /m);
        });

        it('are taken away as a whole', async () => {
          await ruleTool.remove('t');
          assert.doesNotMatch(everyRule(), /sluice/);
        });
      });
    });
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** The rules of every tool, tables that are empty included. */
function everyRule(): string {
  const sources = ['nft list ruleset', 'iptables-legacy-save', 'ip6tables-legacy-save'];
  return sources
    .map((command) => execFileSync('sh', ['-c', `${command} 2>&1 || true`], { encoding: 'utf8' }))
    .join('');
}
