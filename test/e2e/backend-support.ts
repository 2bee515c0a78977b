/**
 * The network that the tests of `sluice backend` run in, on the backend itself. The balancer is tunnel.py, which knows
 * nothing of sluice. Answers go to the client without it.
 *
 *   client 10.1.0.2 ──── 10.1.0.1 router 10.2.0.1 ──── 10.2.0.2 balancer
 *          fd01::2       fd01::1         fd02::1       fd02::2
 *                                        10.3.0.1 ──── 10.3.0.2 backend
 *                                        fd03::1       fd03::2
 *
 * Nobody leaves anything for a network card to do: the balancer takes packets as they are on the wire.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TunnelEndCounts } from '../../lib/tunnel-end/tunnel-end.ts';
import type { Host, Network, NetworkSpec } from '../support/netns.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { startProgram } from './nat-support.ts';

/** Runs a shell command where the test itself is. */
export function here(command: string): string {
  return execFileSync('sh', ['-c', command], { encoding: 'utf8' });
}

/** Each family outside with each inside. */
export const combinations = [
  { vip: '192.0.2.10', outer: 4 },
  { vip: '192.0.2.11', outer: 6 },
  { vip: '2001:db8::10', outer: 6 },
  { vip: '2001:db8::11', outer: 4 },
] as const;

export const vips = combinations.map(({ vip }) => vip);

export const balancer = { 4: '10.2.0.2', 6: 'fd02::2' } as const;
export const backend = { 4: '10.3.0.2', 6: 'fd03::2' } as const;

const routes = {
  client: ['default via 10.1.0.1', 'default via fd01::1'],
  balancer: ['default via 10.2.0.1', 'default via fd02::1'],
  router: combinations.map(({ vip }) => `${vip} via ${balancer[vip.includes(':') ? 6 : 4]}`),
};

/** All of it but the backend. */
export const frontNetwork: NetworkSpec = {
  links: [
    { ends: { client: '10.1.0.2/24 fd01::2/64', router: '10.1.0.1/24 fd01::1/64' } },
    { ends: { balancer: '10.2.0.2/24 fd02::2/64', router: '10.2.0.1/24 fd02::1/64' } },
  ],
  routes,
  // What tunnel.py takes goes no other way.
  sysctls: { balancer: ['net.ipv4.ip_forward=0', 'net.ipv6.conf.all.forwarding=0'] },
};

export const backendNetwork: NetworkSpec = {
  ...frontNetwork,
  links: [
    ...frontNetwork.links,
    { ends: { backend: '10.3.0.2/24 fd03::2/64', router: '10.3.0.1/24 fd03::1/64' } },
  ],
  routes: { ...routes, backend: ['default via 10.3.0.1', 'default via fd03::1'] },
};

/** Has no device between these hosts and the router leave segments or checksums to be made later. */
export function forbidOffload(network: Network, names: readonly string[]): void {
  for (const name of names) {
    network.host(name).run('ethtool -K router tx off tso off gso off');
    network.host('router').run(`ethtool -K ${name} tx off tso off gso off gro off`);
  }
}

/**
 * What sends packets made by scapy from a host: there are the headers `outer4` and `outer6` of the balancer's tunnels, and
 * `inner`, a datagram from the client to port 5353 of the first VIP.
 */
export function sendByScapy(host: Host, code: string): void {
  host.run(`/usr/bin/python3 - <<'END'
import logging; logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import *
conf.verb = 0
outer4 = IP(src="${balancer[4]}", dst="${backend[4]}")
outer6 = IPv6(src="${balancer[6]}", dst="${backend[6]}")
inner = IP(src="10.1.0.2", dst="${vips[0]}")/UDP(sport=7000, dport=5353)
${code}
END`);
}

/** Starts the balancer; the answer ends it. */
export function startTunnel(network: Network, kind: 'gre' | 'ipip'): Promise<() => Promise<void>> {
  const file = fileURLToPath(new URL('./fixtures/tunnel.py', import.meta.url));
  const words = combinations.map(({ vip, outer }) => [vip, kind, balancer[outer], backend[outer]].join());
  return startProgram(network, 'balancer', 'python3', [file, 'router', ...words], (child) =>
    once(child.stdout!, 'data'),
  );
}

/** Starts the servers of nat-origin.ts on the backend. */
export function startServers(network: Network): Promise<() => Promise<void>> {
  const file = fileURLToPath(new URL('./fixtures/nat-origin.ts', import.meta.url));
  const words = ['--import', 'tsx', file, 'backend'];
  return startProgram(network, 'backend', process.execPath, words, (child) => once(child.stdout!, 'data'));
}

/** Resolves when the kernel of the backend has made up its mind about link-local addresses. */
export async function settled(): Promise<void> {
  while (here('ip address').includes('tentative')) await delay(50);
}

/** Starts `sluice backend`. */
export function startBackend(...args: string[]): Promise<Sluice> {
  return sluice(['backend', ...args, '--name', 'backend']);
}

/** What it has counted when it is stopped. */
export async function countsOf(running: Sluice): Promise<TunnelEndCounts> {
  running.kill('SIGINT');
  assert.equal(await running.exited, 0);
  const { event, ...counts } = running.events().at(-1)!;
  assert.equal(event, 'stopped');
  return counts as unknown as TunnelEndCounts;
}

/** Who answers the client at a VIP. */
export function get(network: Network, vip: string): string {
  return network
    .host('client')
    .run(`curl -gsS --max-time 10 ${url(vip)}/`)
    .trim();
}

/** `http://192.0.2.10:8080`. */
export function url(vip: string): string {
  return `http://${vip.includes(':') ? `[${vip}]` : vip}:8080`;
}

/** Commands whose output tells what `sluice backend` changes about a machine, to be read by `machineState`. */
export const stateCommand = [
  'for tool in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do $tool 2>/dev/null; done',
  'ip -oneline address show; ip -oneline link show | sed "s/ qlen .*//"; ip route show table all',
  'ip -6 route show table all; ip rule; cd /proc/sys/net; grep -r . ipv4/conf ipv6/conf 2>/dev/null; true',
].join('\n');

/** The lines of such output, without what changes by itself. */
export type MachineState = ReadonlySet<string>;

export function machineState(output: string): MachineState {
  const lines = output
    .split('\n')
    .filter((line) => !/^(#|\*|:[A-Z]+ ACCEPT|COMMIT|$)|stable_secret|mtu:/.test(line))
    .map((line) => line.replace(/ (expires|valid_lft|preferred_lft) \S+|\[\d+:\d+\]|^\d+: /g, ''));
  return new Set(lines);
}

/** What one state has and the other has not: none if they are the same. */
export function changes(before: MachineState, after: MachineState): string[] {
  return [
    ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
  ];
}
