/**
 * Where a VIP is, and who else has it: the link is asked as arping(8) asks it, but by the kernel, which resolves the
 * address as a neighbour's even where it is our own (`use`, ip-neighbour(8)).
 */
import type { Machine } from '../machine.ts';
import { askIp, type Link, type Route } from './network.ts';

export interface VipPlace {
  /** The interface that has it on this machine. */
  readonly own: string | undefined;
  /** The link whose hosts would ask for it by ARP or neighbour discovery; undefined if it is routed. */
  readonly link: string | undefined;
  /** The link-layer address of another machine on that link that has it too. */
  readonly holder: string | undefined;
  /** The same machine by an IP address that is known of it. */
  readonly holderAddress: string | undefined;
}

const lookEveryMs = 100;
/** The kernel asks three times, a second apart; one answer is enough. */
const patienceMs = 1_500;

interface Network {
  readonly links: readonly Link[];
  readonly routes: ReadonlyMap<string, Route>;
  /** By VIP. */
  readonly linkOf: ReadonlyMap<string, string>;
}

/** The places of VIPs; `linkOf` tells the interface that one would be put on. */
export async function readVipPlaces(
  vips: ReadonlySet<string>,
  { links, routes, linkOf }: Network,
  machine: Machine,
): Promise<ReadonlyMap<string, VipPlace>> {
  const places = [...vips].map(async (vip): Promise<readonly [string, VipPlace]> => {
    const own = links.find(({ addresses }) => addresses.some(({ address }) => address === vip))?.name;
    const route = routes.get(vip);
    const isOnLink = route !== undefined && !route.isLocal && route.gateway === undefined;
    const link = linkOf.get(vip) ?? (own === 'lo' ? undefined : (own ?? (isOnLink ? route.link : undefined)));
    const holder = link === undefined ? undefined : await ask(vip, link, machine);
    return [vip, { own, link, holder, holderAddress: holder && (await addressOf(holder, vip, machine)) }];
  });
  return new Map(await Promise.all(places));
}

interface Neighbour {
  readonly dst: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
}

/** The link-layer address of whoever answers for an address; undefined if nobody does. */
async function ask(address: string, link: string, machine: Machine): Promise<string | undefined> {
  const neighbour = [address, 'dev', link];
  try {
    await machine.run('ip', ['neighbour', 'replace', ...neighbour, 'use']);
  } catch {
    return undefined;
  }
  try {
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += lookEveryMs) {
      await machine.pause(lookEveryMs);
      const [found] = await askIp<Neighbour>(machine, ['neighbour', 'show', 'to', ...neighbour]);
      if (found === undefined || found.state.includes('FAILED')) return undefined;
      if (found.lladdr !== undefined) return found.lladdr;
    }
    return undefined;
  } finally {
    await machine.run('ip', ['neighbour', 'delete', ...neighbour]).catch(() => undefined);
  }
}

async function addressOf(holder: string, vip: string, machine: Machine): Promise<string | undefined> {
  const neighbours = await askIp<Neighbour>(machine, ['neighbour', 'show']);
  return neighbours.find(({ dst, lladdr }) => lladdr === holder && dst !== vip && !dst.startsWith('fe80:'))
    ?.dst;
}
