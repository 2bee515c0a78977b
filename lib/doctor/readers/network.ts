/** Interfaces, their addresses, and the ways to other machines, as ip(8) tells them. */
import type { Machine } from '../machine.ts';

export interface Link {
  readonly name: string;
  readonly mtu: number;
  readonly addresses: readonly LinkAddress[];
  /** Whether it hands on packets that it has put together from several of a flow (large receive offload). */
  readonly mergesPackets: boolean;
}

export interface LinkAddress {
  readonly address: string;
  /** Another machine of the link had the address first (IPv6, RFC 4862 §5.4). */
  readonly isDuplicate: boolean;
}

/** How packets to an address leave. */
export interface Route {
  /** They end on this machine. */
  readonly isLocal: boolean;
  readonly link: string;
  readonly gateway: string | undefined;
  /** The address of this machine that the kernel would send from. */
  readonly source: string | undefined;
}

/** Every interface of this machine. */
export async function readLinks(machine: Machine): Promise<readonly Link[]> {
  interface Shown {
    readonly ifname: string;
    readonly mtu: number;
    readonly addr_info: readonly { readonly local: string; readonly dadfailed?: boolean }[];
  }
  const shown = await askIp<Shown>(machine, ['address', 'show']);
  return Promise.all(
    shown.map(async ({ ifname, mtu, addr_info }) => ({
      name: ifname,
      mtu,
      addresses: addr_info.map(({ local, dadfailed = false }) => ({
        address: local,
        isDuplicate: dadfailed,
      })),
      mergesPackets: await mergesPackets(ifname, machine),
    })),
  );
}

async function mergesPackets(link: string, { run }: Machine): Promise<boolean> {
  const features = await run('ethtool', ['--show-features', link]).catch(() => '');
  return /^large-receive-offload: on/m.test(features);
}

/** The way to each address; one that has none is left out. */
export async function readRoutes(
  addresses: ReadonlySet<string>,
  machine: Machine,
): Promise<ReadonlyMap<string, Route>> {
  interface Shown {
    readonly type?: string;
    readonly dev: string;
    readonly gateway?: string;
    readonly prefsrc?: string;
  }
  const routes = new Map<string, Route>();
  for (const address of addresses) {
    const [shown] = await askIp<Shown>(machine, ['route', 'get', address]);
    if (shown === undefined) continue;
    const { type, dev, gateway, prefsrc } = shown;
    routes.set(address, { isLocal: type === 'local', link: dev, gateway, source: prefsrc });
  }
  return routes;
}

/** The links that packets to the rest of the world leave by. */
export async function readDefaultLinks(machine: Machine): Promise<readonly string[]> {
  const routes = ['-4', '-6'].map((family) =>
    askIp<{ readonly dev?: string }>(machine, [family, 'route', 'show', 'default']),
  );
  return [...new Set((await Promise.all(routes)).flat().flatMap(({ dev }) => dev ?? []))];
}

/** The answer of `ip --json`; none where it complains. */
export async function askIp<Item>({ run }: Machine, words: readonly string[]): Promise<readonly Item[]> {
  const text = await run('ip', ['-json', ...words]).catch(() => '[]');
  return JSON.parse(text.trim() === '' ? '[]' : text) as readonly Item[];
}
