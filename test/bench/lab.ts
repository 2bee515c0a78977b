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
 *     4 nat           10.9.0.4  sluice nat: becomes 10.2.4.2, its source 10.2.4.1
 *     6 dsr           10.9.0.6  sluice dsr: goes to 10.2.6.2 in GRE; the answer goes by 1
 *
 * Another neighbour of the client, 10.1.5.1, has no part in any of them.
 */
import { fileURLToPath } from 'node:url';
import { output, type Server, startServer } from '../support/child.ts';
import { createNetwork, type Host } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { sluice } from '../support/sluice.ts';
import type { Conditions } from './measure.ts';

export type Way = 'routing' | 'kernel DNAT' | 'one by one' | 'nat' | 'dsr';

/** Ports of the backend: what floods go to, where they are dropped; iperf3 or HTTP. */
export const ports = { flood: 9, bulk: 80, http: 80 } as const;

/** The balancer of each way, its number, and the address that a client uses to have its packets carried that way. */
const ways = {
  routing: { balancer: 'routing', number: 1, target: '10.2.1.2' },
  'kernel DNAT': { balancer: 'dnat', number: 2, target: '10.9.0.2' },
  'one by one': { balancer: 'reader', number: 3, target: '10.2.3.2' },
  nat: { balancer: 'nat', number: 4, target: '10.9.0.4' },
  dsr: { balancer: 'dsr', number: 6, target: '10.9.0.6' },
} as const satisfies Readonly<Record<Way, { balancer: string; number: number; target: string }>>;

/** Where the datagrams of floods end on their first device (see `endFloods`). */
export const droppingTarget = '10.1.5.1';

export interface Lab extends Disposable {
  readonly client: Host;
  readonly backend: Host;
  /** Where `droppingTarget` is. */
  readonly wall: Host;
  balancer(way: Way): Host;
}

/** Where packets are sent that are to go a way. */
export function targetOf(way: Way): string {
  return ways[way].target;
}

export function createLab(): Lab {
  const all = Object.values(ways);
  const network = createNetwork({
    links: [
      ...all.flatMap(({ balancer, number }) => [
        { ends: { client: `10.1.${number}.2/24`, [balancer]: `10.1.${number}.1/24` } },
        { ends: { [balancer]: `10.2.${number}.1/24`, backend: `10.2.${number}.2/24` } },
      ]),
      { ends: { client: '10.1.5.2/24', wall: '10.1.5.1/24' } },
    ],
    routes: {
      client: all.map(({ target, number }) => `${target} via 10.1.${number}.1`),
      backend: all.map(({ number }) => `10.1.${number}.0/24 via 10.2.${number === 6 ? 1 : number}.1`),
      routing: ['10.1.6.0/24 via 10.1.1.2'],
    },
  });
  network
    .host('dnat')
    .run(`iptables -w -t nat -A PREROUTING -d ${targetOf('kernel DNAT')} -j DNAT --to-destination 10.2.2.2`);
  network
    .host('reader')
    .run(`iptables -w -t mangle -A PREROUTING -p udp --dport ${ports.flood} -j NFQUEUE --queue-num 0`);
  return {
    client: network.host('client'),
    backend: network.host('backend'),
    wall: network.host('wall'),
    balancer: (way) => network.host(ways[way].balancer),
    [Symbol.dispose]: () => network.remove(),
  };
}

/**
 * Has floods end where they arrive, in a tunnel or not. They leave the client with their checksums, as if they had come
 * over a wire: nobody on their way makes them.
 */
export function endFloods(lab: Lab): void {
  for (const host of [lab.wall, lab.backend]) {
    for (const match of ['-p gre', `-p udp --dport ${ports.flood}`]) {
      host.run(`iptables -w -t raw -A PREROUTING ${match} -j DROP`);
    }
  }
  for (const { balancer } of [...Object.values(ways), { balancer: 'wall' }]) {
    lab.client.run(`ethtool -K ${balancer} tx off`);
  }
}

/** How many datagrams of floods have come to the backend since `endFloods`. */
export function delivered(lab: Lab): number {
  const listing = lab.backend.run('iptables -w -t raw -L PREROUTING -v -x -n');
  return Array.from(listing.matchAll(/^\s*(\d+)\s+\d+\s+DROP/gm), ([, packets]) => Number(packets)).reduce(
    (sum, packets) => sum + packets,
    0,
  );
}

/** Starts mode nat for one service; `core` is the one that it may run on, any when absent. */
export function startNat(
  lab: Lab,
  transport: 'tcp' | 'udp',
  port: number,
  { sluice: command }: Conditions,
  core?: number,
): Promise<Server> {
  const { namespace } = lab.balancer('nat');
  // More ports than a client has, and none that the kernel gives out by itself.
  const options = ['--check', 'none', '--snat-ports', '1024-32767'];
  const args = ['nat', `${transport}://${targetOf('nat')}:${port}`, `10.2.4.2:${port}`, ...options];
  return sluice(args, { command, core, namespace });
}

/** The same for mode dsr. */
export function startDsr(
  lab: Lab,
  transport: 'tcp' | 'udp',
  port: number,
  { sluice: command }: Conditions,
  core?: number,
): Promise<Server> {
  const { namespace } = lab.balancer('dsr');
  const args = ['dsr', `${transport}://${targetOf('dsr')}:${port}`, '10.2.6.2', '--check', 'none'];
  return sluice(args, { command, core, namespace });
}

/** The backend's half of mode dsr. */
export function startTunnelEnd(lab: Lab, { sluice: command }: Conditions): Promise<Server> {
  const { namespace } = lab.backend;
  const args = ['backend', targetOf('dsr'), '--from', '10.2.6.1', '--name', 'backend'];
  return sluice(args, { command, namespace });
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
