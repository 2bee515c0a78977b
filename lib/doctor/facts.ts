/** Everything that the checks judge by, gathered from the machine at one moment. */
import type { Machine } from './machine.ts';
import { type KernelFacts, readKernelFacts } from './readers/kernel.ts';
import { type LeftoverFacts, readLeftovers } from './readers/leftovers.ts';
import { type Link, type Route, readDefaultLinks, readLinks, readRoutes } from './readers/network.ts';
import { type PathMtu, readPathMtus } from './readers/path-mtu.ts';
import { type ProcessFacts, readProcessFacts } from './readers/process.ts';
import { type RuleFacts, readRules } from './readers/rules.ts';
import { readSettingFacts, type SettingFacts } from './readers/settings.ts';
import { type Listener, readListeners } from './readers/sockets.ts';
import { readTunnelEnds, type TunnelEndFacts } from './readers/tunnel-ends.ts';
import { readVipPlaces, type VipPlace } from './readers/vip-places.ts';
import type { Subject } from './subject.ts';

export interface Facts {
  readonly platform: string;
  readonly process: ProcessFacts;
  readonly kernel: KernelFacts;
  readonly settings: SettingFacts;
  /** Undefined where this process may not look at the rules. */
  readonly rules: RuleFacts | undefined;
  readonly leftovers: LeftoverFacts;
  readonly links: readonly Link[];
  /** Names of the links that lead to the rest of the world. */
  readonly defaultLinks: readonly string[];
  /** By address: the ways to VIPs and backends. */
  readonly routes: ReadonlyMap<string, Route>;
  /** By address of a backend. */
  readonly paths: ReadonlyMap<string, PathMtu>;
  /** By address of a VIP. */
  readonly vips: ReadonlyMap<string, VipPlace>;
  readonly listeners: readonly Listener[] | undefined;
  /** Instances of `sluice backend`; none where they were not asked for. */
  readonly tunnelEnds: readonly TunnelEndFacts[];
}

/**
 * Looks at the machine; `directory` is that of the instances, and their journals. With `trials`, a packet is sent through
 * each tunnel that ends here. Takes a second or two.
 */
export async function gatherFacts(
  machine: Machine,
  directory: string,
  subject: Subject,
  { trials = false } = {},
): Promise<Facts> {
  const { services, paths: asked } = subject;
  const vips = new Set(services.flatMap(({ vips }) => vips.map(({ address }) => address)).filter(isRoutable));
  const backends = new Set(
    services.flatMap(({ backends }) => backends.map(({ address }) => address)).filter(isRoutable),
  );
  const [links, defaultLinks, routes, kernel, rules, listeners] = await Promise.all([
    readLinks(machine),
    readDefaultLinks(machine),
    readRoutes(new Set([...vips, ...backends]), machine),
    readKernelFacts(machine),
    readRules(machine),
    readListeners(machine),
  ]);
  const away = [...backends].filter((address) => routes.get(address)?.isLocal === false);
  const mtuOf = (address: string): number =>
    links.find(({ name }) => name === routes.get(address)?.link)?.mtu ?? 1_500;
  const [paths, places] = await Promise.all([
    readPathMtus(new Map(away.map((address) => [address, mtuOf(address)])), machine),
    readVipPlaces(vips, { links, routes, linkOf: linksAsked(subject) }, machine),
  ]);
  return {
    platform: machine.platform,
    process: readProcessFacts(machine),
    kernel,
    settings: readSettingFacts(
      {
        directory,
        interfaces: links.map(({ name }) => name).filter((name) => name !== 'lo'),
        localSource:
          services.length === 0 ||
          services.some(({ keepsClient }) => !keepsClient) ||
          [...places.values()].some(({ own }) => own !== undefined),
        snatPorts: asked.nat?.snatPorts,
      },
      machine,
    ),
    rules,
    leftovers: readLeftovers(directory),
    links,
    defaultLinks,
    routes,
    paths,
    vips: places,
    listeners,
    tunnelEnds: trials ? await readTunnelEnds(directory, machine) : [],
  };
}

/** By VIP: the interface that it is to be put on. */
function linksAsked({ services, paths }: Subject): ReadonlyMap<string, string> {
  return new Map(
    services.flatMap(({ mode, vips }) => {
      const link = paths[mode]?.addVip;
      return link === undefined ? [] : vips.map(({ address }) => [address, link] as const);
    }),
  );
}

/** Neither every address of the machine nor one of its loopback. */
function isRoutable(address: string): boolean {
  return address !== '' && !/^(127\.|::1$)/.test(address);
}
