/**
 * The network that the tests of mode dsr run in, on the balancer. Answers go to the client without it.
 *
 *   client 10.1.0.2 ──── 10.1.0.1 router 10.2.0.1 ──── 10.2.0.2 balancer 10.5.0.1 ──── 10.5.0.2 three
 *          fd01::2       fd01::1         fd02::1       fd02::2           fd05::1       fd05::2  │
 *                                        10.3.0.1 ──── 10.3.0.2 one                             │
 *                                        fd03::1       fd03::2                                  │
 *                                        10.4.0.1 ──── 10.4.0.2 two                             │
 *                                        fd04::1       fd04::2                                  │
 *                                        10.6.0.1 ──── 10.6.0.2 ────────────────────────────────┘
 *                                        fd06::1       fd06::2
 *
 * VIPs are routed to the balancer, which has none of them.
 */
import { join } from 'node:path';
import { ControlClient } from '../../lib/control/client.ts';
import { formatHostPort } from '../../lib/model/address.ts';
import type { EncapsulationName } from '../../lib/model/encapsulation.ts';
import type { Server } from '../support/child.ts';
import type { Network, NetworkSpec } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { machineState, stateCommand } from './backend-support.ts';
import { startOriginServer } from './nat-cli.ts';
import { until } from './support.ts';

/** Each family outside with each inside. */
export const combinations = [
  { name: '4-in-4', vip: '192.0.2.10', outer: 4 },
  { name: '4-in-6', vip: '192.0.2.11', outer: 6 },
  { name: '6-in-6', vip: '2001:db8::10', outer: 6 },
  { name: '6-in-4', vip: '2001:db8::11', outer: 4 },
] as const;

export type Combination = (typeof combinations)[number];

export const vips = combinations.map(({ vip }) => vip);

/** Ports of the servers of nat-origin.ts, and DNS. */
export const ports = { http: 8080, echo: 9004, udp: 5300, dns: 53 } as const;

export const balancer = { 4: '10.2.0.2', 6: 'fd02::2' } as const;

/** Of the balancer, on the link that it has with `three` alone: packets to `three` come from there. */
export const besideThree = { 4: '10.5.0.1', 6: 'fd05::1' } as const;

export const backends = ['one', 'two'] as const;
export type BackendName = (typeof backends)[number];

export const addressOf = {
  one: { 4: '10.3.0.2', 6: 'fd03::2' },
  two: { 4: '10.4.0.2', 6: 'fd04::2' },
  three: { 4: '10.5.0.2', 6: 'fd05::2' },
} as const;

export const dsrNetwork: NetworkSpec = {
  links: [
    { ends: { client: '10.1.0.2/24 fd01::2/64', router: '10.1.0.1/24 fd01::1/64' } },
    { ends: { balancer: '10.2.0.2/24 fd02::2/64', router: '10.2.0.1/24 fd02::1/64' } },
    { ends: { one: '10.3.0.2/24 fd03::2/64', router: '10.3.0.1/24 fd03::1/64' } },
    { ends: { two: '10.4.0.2/24 fd04::2/64', router: '10.4.0.1/24 fd04::1/64' } },
    { ends: { three: '10.5.0.2/24 fd05::2/64', balancer: '10.5.0.1/24 fd05::1/64' } },
    { ends: { three: '10.6.0.2/24 fd06::2/64', router: '10.6.0.1/24 fd06::1/64' } },
  ],
  routes: {
    client: ['default via 10.1.0.1', 'default via fd01::1'],
    balancer: ['default via 10.2.0.1', 'default via fd02::1'],
    one: ['default via 10.3.0.1', 'default via fd03::1'],
    two: ['default via 10.4.0.1', 'default via fd04::1'],
    three: ['default via 10.6.0.1', 'default via fd06::1'],
    router: combinations.map(({ vip }) => `${vip} via ${balancer[vip.includes(':') ? 6 : 4]}`),
  },
};

/** `http://[2001:db8::10]:8080`. */
export function url(vip: string): string {
  return `http://${formatHostPort(vip, ports.http)}`;
}

/** Starts `sluice backend` on a host, for all VIPs. */
export function startTunnelEnd(
  network: Network,
  name: string,
  encapsulation: EncapsulationName,
  ...more: string[]
): Promise<Sluice> {
  const { namespace } = network.host(name);
  const isTold = encapsulation === 'l2' || more.includes('--from');
  const from = isTold ? [] : ['--from', [...Object.values(balancer), ...Object.values(besideThree)].join()];
  return sluice(['backend', ...vips, ...from, '--encap', encapsulation, '--name', name, ...more], {
    namespace,
  });
}

/** Backends with all that they need: the tunnel's end, and the servers of nat-origin.ts. */
export interface Peers {
  readonly ends: ReadonlyMap<string, Sluice>;
  readonly origins: ReadonlyMap<string, Server>;
  stop(): Promise<void>;
}

export async function startPeers(
  network: Network,
  names: readonly string[],
  encapsulation: EncapsulationName,
  ...more: string[]
): Promise<Peers> {
  const ends = new Map<string, Sluice>();
  const origins = new Map<string, Server>();
  for (const name of names) {
    ends.set(name, await startTunnelEnd(network, name, encapsulation, ...more));
    // Datagrams are taken at VIPs, which have to be there.
    origins.set(name, await startOriginServer(network, name, vips));
  }
  return {
    ends,
    origins,
    async stop() {
      for (const server of [...origins.values(), ...ends.values()]) await server.stop();
    },
  };
}

export interface EdgeOptions {
  readonly encapsulation?: EncapsulationName;
  readonly names?: readonly (keyof typeof addressOf)[];
  readonly workers?: number;
  /** As the file has it. */
  readonly check?: string;
  /** Keys of a service, as the file has them. */
  readonly keys?: string;
}

/** A configuration with a service for each combination of families, on all ports. */
export function edgeConfiguration({
  encapsulation = 'gre',
  names = backends,
  workers = 1,
  check = '{ type: http, path: /, interval: 200ms, timeout: 1s, fall: 2, rise: 1 }',
  keys = '',
}: EdgeOptions = {}): string {
  const services = combinations.map(({ name, vip, outer }) => {
    const listen = [
      ...[ports.http, ports.echo].map((port) => `tcp://${formatHostPort(vip, port)}`),
      ...[ports.udp, ports.dns].map((port) => `udp://${formatHostPort(vip, port)}`),
    ];
    const ends = names.map((each) => `{ name: ${each}, address: "${bracketed(addressOf[each][outer])}" }`);
    return `
  - name: ${name}
    mode: dsr
    encap: ${encapsulation}
    listen: ${JSON.stringify(listen)}
    backends: [${ends.join(', ')}]
    check: ${check}
    ${keys}`;
  });
  return `dsr: { workers: ${workers} }\nservices:${services.join('')}\n`;
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** Starts `sluice up` with a configuration, and waits until every backend has passed its first check. */
export async function startEdge(configuration: string, ...more: string[]): Promise<Sluice> {
  const directory = scratch();
  const file = directory.write('edge.yaml', configuration);
  const control = join(directory.path, 'edge.sock');
  const edge = await sluice(['up', '-f', file, '--control', control, ...more]);
  await untilWell(control);
  return edge;
}

/** Resolves when every backend of an instance, by its control socket, has passed its last check. */
export async function untilWell(control: string): Promise<void> {
  const client = new ControlClient(control);
  let said = '';
  await until('all backends are well', async () => {
    const checked = await client.backends();
    said = checked.map(({ service, name, health }) => `${service} ${name}: ${health.last}`).join(', ');
    return checked.every(({ health }) => health.last === 'ok');
  }).catch((error) => {
    throw new Error(said, { cause: error });
  });
  await client.close();
}

/** Has no device of the network leave segments or checksums to be made later. */
export function forbidOffload(network: Network): void {
  for (const { ends } of dsrNetwork.links) {
    const [left, right] = Object.keys(ends) as [string, string];
    network.host(left).run(`ethtool -K ${right} tx off tso off gso off gro off`);
    network.host(right).run(`ethtool -K ${left} tx off tso off gso off gro off`);
  }
}

/** What of a machine mode dsr changes, by a shell that runs there. */
export function balancerState(run: (command: string) => string): string {
  const state = machineState(run(`${stateCommand}\nip -6 rule; nft list ruleset`));
  return [...state].join('\n');
}
