/**
 * The network that ways of carrying packets are compared in. Each way has a balancer of its own between the same
 * client and backend, so that what one needs of its kernel (conntrack, rules) costs no other anything.
 *
 *            10.1.N.2    10.1.N.1            10.2.N.1    10.2.N.2
 *     client ────────────────── balancer N ────────────────── backend
 *
 *     1 routing       10.2.1.2  nothing but a route
 *     2 kernel DNAT   10.9.0.2  becomes 10.2.2.2 by a rule of iptables, tracked by the kernel
 *     3 one by one    10.2.3.2  through a queue whose reader takes and answers one packet at a time, in C
 *     4 sluice        10.9.0.4  becomes 10.2.4.2, its source 10.2.4.1
 *
 * A fifth neighbour of the client, 10.1.5.1, drops every datagram as it comes in.
 */
import { fileURLToPath } from 'node:url';
import { output, type Server, startServer } from '../support/child.ts';
import { createNetwork, type Host } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { sluice } from '../support/sluice.ts';
import type { Conditions } from './measure.ts';

export const ways = ['routing', 'kernel DNAT', 'one by one', 'sluice'] as const;
export type Way = (typeof ways)[number];

/** Ports of the backend: what floods go to, where they are dropped; iperf3 or HTTP. */
export const ports = { flood: 9, bulk: 80, http: 80 } as const;

/** The address that a client uses to have its packets carried that way. */
export const targets: Readonly<Record<Way, string>> = {
  routing: '10.2.1.2',
  'kernel DNAT': '10.9.0.2',
  'one by one': '10.2.3.2',
  sluice: '10.9.0.4',
};

/** Where datagrams end on their first device. */
export const droppingTarget = '10.1.5.1';

const balancers = ['routing', 'dnat', 'reader', 'balancer'] as const;
const balancerOf: Readonly<Record<Way, string>> = {
  routing: 'routing',
  'kernel DNAT': 'dnat',
  'one by one': 'reader',
  sluice: 'balancer',
};

export interface Lab extends Disposable {
  readonly client: Host;
  readonly backend: Host;
  balancer(way: Way): Host;
}

export function createLab(): Lab {
  const network = createNetwork({
    links: [
      ...balancers.flatMap((name, index) => [
        { ends: { client: `10.1.${index + 1}.2/24`, [name]: `10.1.${index + 1}.1/24` } },
        { ends: { [name]: `10.2.${index + 1}.1/24`, backend: `10.2.${index + 1}.2/24` } },
      ]),
      { ends: { client: '10.1.5.2/24', wall: '10.1.5.1/24' } },
    ],
    routes: {
      client: Object.values(targets).map((target) => {
        const index = target.startsWith('10.2.') ? target.split('.')[2] : target.split('.')[3];
        return `${target} via 10.1.${index}.1`;
      }),
      backend: balancers.map((_, index) => `10.1.${index + 1}.0/24 via 10.2.${index + 1}.1`),
    },
  });
  for (const name of ['wall', 'backend']) {
    network.host(name).run(`iptables -w -t raw -A PREROUTING -p udp --dport ${ports.flood} -j DROP`);
  }
  network
    .host('dnat')
    .run(`iptables -w -t nat -A PREROUTING -d ${targets['kernel DNAT']} -j DNAT --to-destination 10.2.2.2`);
  network
    .host('reader')
    .run(`iptables -w -t mangle -A PREROUTING -p udp --dport ${ports.flood} -j NFQUEUE --queue-num 0`);
  return {
    client: network.host('client'),
    backend: network.host('backend'),
    balancer: (way) => network.host(balancerOf[way]),
    [Symbol.dispose]: () => network.remove(),
  };
}

/** How many datagrams of floods have come to the backend since the lab was made. */
export function delivered(lab: Lab): number {
  return Number(lab.backend.run('iptables -w -t raw -L PREROUTING 1 -v -x -n').trim().split(/\s+/)[0]);
}

/** Starts mode nat for one service; `core` is the one that it may run on, any when absent. */
export function startNat(
  lab: Lab,
  transport: 'tcp' | 'udp',
  port: number,
  { sluice: command }: Conditions,
  core?: number,
): Promise<Server> {
  const { namespace } = lab.balancer('sluice');
  // More ports than a client has, and none that the kernel gives out by itself.
  const options = ['--check', 'none', '--snat-ports', '1024-32767'];
  const args = ['nat', `${transport}://${targets.sluice}:${port}`, `10.2.4.2:${port}`, ...options];
  return sluice(args, { command, core, namespace });
}

/** Compiles a fixture and returns the program's path. */
export async function compile(name: 'udp-flood' | 'nfq-one-by-one'): Promise<string> {
  const source = fileURLToPath(new URL(`./fixtures/${name}.c`, import.meta.url));
  const program = `${scratch().path}/${name}`;
  await output({ program: 'cc', args: ['-O2', '-o', program, source] });
  return program;
}

/** Starts the reader of packets one by one, and waits until the queue is its own. */
export function startReader(lab: Lab, program: string, core: number): Promise<Server> {
  const { namespace } = lab.balancer('one by one');
  return startServer({ program, args: ['0'], core, namespace }, async () => {
    while (!/^\s*0\s/.test(lab.balancer('one by one').run('cat /proc/net/netfilter/nfnetlink_queue'))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
}
