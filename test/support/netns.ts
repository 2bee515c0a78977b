/**
 * Networks for tests: each host is a network namespace (ip-netns(8)), each link a pair of virtual Ethernet
 * devices. A host's device is called after the host at its other end.
 *
 *     // client 10.1.0.2 ──── 10.1.0.1 router 10.2.0.1 ──── 10.2.0.2 server
 *     const network = createNetwork({
 *       links: [
 *         { ends: { client: '10.1.0.2/24', router: '10.1.0.1/24' } },
 *         { ends: { router: '10.2.0.1/24', server: '10.2.0.2/24' }, mtu: 1400 },
 *       ],
 *       routes: { client: ['default via 10.1.0.1'], server: ['default via 10.2.0.1'] },
 *     });
 *     network.host('client').run('ping -c 1 10.2.0.2');
 *     network.remove();
 *
 * Namespaces are called nfqt-PID-HOST after the process that made them, so runs do not meet, and a new
 * network first removes what processes that are gone have left.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { missing } from './tools.ts';

const prefix = 'nfqt-';
const folder = '/run/netns';

export interface LinkSpec {
  /** Two hosts, and each one's addresses on the link with their prefix lengths, separated by spaces. */
  readonly ends: Readonly<Record<string, string>>;
  /** Default 1500. */
  readonly mtu?: number;
}

export interface NetworkSpec {
  readonly links: readonly LinkSpec[];
  /** What each host says after `ip route add`; IPv6 where there is a colon. */
  readonly routes?: Readonly<Record<string, readonly string[]>>;
  /** What each host says after `sysctl -w`; hosts forward between their links as it is. */
  readonly sysctls?: Readonly<Record<string, readonly string[]>>;
}

export interface Host {
  readonly name: string;
  /** For `ip -n` and `nsenter --net=/run/netns/…`. */
  readonly namespace: string;
  /** Runs a shell command to its end and returns what it printed; throws with its errors if it fails. */
  run(command: string): string;
  /** Starts a program, which is killed with the network if it still runs then. */
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

export interface Network {
  host(name: string): Host;
  /** Kills what runs in the namespaces and removes them. */
  remove(): void;
}

/** Why this process cannot make networks, in the form that `node:test` takes for `skip`; false if it can. */
export function namespaceObstacle(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are a part of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces take root: run the tests with sudo';
  if (!existsSync('/proc/self/ns/net')) return 'the kernel has no network namespaces';
  return missing('ip', 'iptables', 'curl', 'ping', 'python3');
}

export function createNetwork(spec: NetworkSpec): Network {
  removeLeftovers();
  const names = [...new Set(spec.links.flatMap((link) => Object.keys(link.ends)))];
  const network = findNetwork(process.pid, names);
  try {
    for (const name of names) addHost(network.host(name));
    for (const link of spec.links) addLink(network, link);
    for (const [name, settings] of Object.entries(spec.sysctls ?? {})) {
      for (const setting of settings) setSysctl(network.host(name), setting);
    }
    for (const [name, routes] of Object.entries(spec.routes ?? {})) {
      for (const route of routes) network.host(name).run(`ip ${family(route)} route add ${route}`);
    }
  } catch (error) {
    network.remove();
    throw error;
  }
  return network;
}

/** The network of those hosts that process `pid` has made or is about to make. */
export function findNetwork(pid: number, names: readonly string[]): Network {
  const hosts = new Map(names.map((name) => [name, hostIn(`${prefix}${pid}-${name}`, name)]));
  return {
    host(name) {
      const host = hosts.get(name);
      if (host === undefined) throw new Error(`the network has no host ${name}`);
      return host;
    },
    remove() {
      for (const host of hosts.values()) removeNamespace(host.namespace);
    },
  };
}

function hostIn(namespace: string, name: string): Host {
  const enter = `--net=${folder}/${namespace}`;
  return {
    name,
    namespace,
    run: (command) => execute('nsenter', [enter, 'sh', '-c', command]),
    spawn: (program, args, options = {}) => spawn('nsenter', [enter, program, ...args], options),
  };
}

function execute(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function family(text: string): '-4' | '-6' {
  return text.includes(':') ? '-6' : '-4';
}

function addHost(host: Host): void {
  execute('ip', ['netns', 'add', host.namespace]);
  host.run('ip link set lo up');
  setSysctl(host, 'net.ipv4.ip_forward=1');
  setSysctl(host, 'net.ipv6.conf.all.forwarding=1');
}

/** `sysctl -w` says 0 when it fails, so the value is read back. */
function setSysctl(host: Host, setting: string): void {
  const [name, value] = setting.split('=');
  const path = `/proc/sys/${name!.replaceAll('.', '/')}`;
  const now = host.run(`echo ${value} > ${path} && cat ${path}`).trim();
  if (now !== value) throw new Error(`${host.name}: ${name} stays ${now} where ${value} was asked for`);
}

function addLink(network: Network, { ends, mtu = 1500 }: LinkSpec): void {
  const [left, right] = Object.keys(ends).map((name) => network.host(name));
  if (left === undefined || right === undefined) throw new Error('a link has two ends');
  left.run(
    `ip link add ${right.name} mtu ${mtu} type veth peer name ${left.name} mtu ${mtu} netns ${right.namespace}`,
  );
  for (const [host, peer] of [
    [left, right],
    [right, left],
  ] as const) {
    for (const address of ends[host.name]!.split(' ')) {
      // Without duplicate address detection an IPv6 address can be used at once.
      host.run(`ip address add ${address} dev ${peer.name} ${address.includes(':') ? 'nodad' : ''}`);
    }
    host.run(`ip link set ${peer.name} up`);
  }
}

function removeNamespace(namespace: string): void {
  if (!existsSync(`${folder}/${namespace}`)) return;
  for (const pid of execute('ip', ['netns', 'pids', namespace]).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  execute('ip', ['netns', 'delete', namespace]);
}

function removeLeftovers(): void {
  if (!existsSync(folder)) return;
  for (const namespace of readdirSync(folder).filter((name) => name.startsWith(prefix))) {
    const owner = namespace.slice(prefix.length).split('-')[0]!;
    if (!existsSync(`/proc/${owner}`)) removeNamespace(namespace);
  }
}
