/** The packets of a mode and where they pass the packet filter, as data for the checks of other people's rules. */

import type { Endpoint } from '../../datapath/kernel/description.ts';
import { Protocol } from '../../packet/packet.ts';
import type { Case } from '../check.ts';
import type { Facts } from '../facts.ts';
import type { DoctorMode } from '../modes.ts';
import type { Hook, Match } from '../rules/rule.ts';
import type { Packet } from '../rules/walk.ts';
import { backendEndpoints, type PathAsked, type ServedService } from '../subject.ts';

export interface Passage {
  readonly hook: Hook;
  readonly packet: Packet;
  /** What a rule would have to accept. */
  readonly match: Match;
}

/** The packets as they come from clients. */
export function arrivals({ mode, facts, subject }: Case): readonly Packet[] {
  return subject.services.flatMap(({ vips }) => vips.flatMap((vip) => toVip(vip, mode, facts)));
}

/** All of them, at each hook that they have to get through once sluice has them, or before a proxy has them. */
export function passages({ mode, facts, subject, asked }: Case): readonly Passage[] {
  return subject.services.flatMap((service) => {
    switch (mode) {
      case 'proxy':
        return service.vips
          .flatMap((vip) => toVip(vip, mode, facts))
          .flatMap((packet) => [passage('prerouting', packet), passage('input', packet)]);
      case 'nat':
        return [...requests(service, facts), ...answers(service, facts)];
      case 'dsr':
        return [...tunnelled(service, facts), ...checkAnswers(service, asked)];
      default:
        return [];
    }
  });
}

function toVip({ address, port, protocol }: Endpoint, mode: DoctorMode, facts: Facts): Packet[] {
  const families = address === '' ? ([4, 6] as const) : [familyOf(address)];
  return families.flatMap((family) =>
    clientLinks([address], facts).map((link) => ({
      family,
      protocol: Protocol[protocol],
      ...(address === '' ? {} : { destination: address }),
      destinationPort: port,
      ...link,
      state: mode === 'proxy' ? ('new' as const) : ('untracked' as const),
      local: address === '' || mode === 'proxy' || facts.vips.get(address)?.own !== undefined,
    })),
  );
}

/**
 * The links that clients most likely come by: those of the VIPs, and those that lead to the rest of the world. An
 * empty one where neither is known.
 */
function clientLinks(
  vips: readonly string[],
  { vips: places, defaultLinks }: Facts,
): readonly { readonly in?: string }[] {
  const links = new Set([...vips.flatMap((vip) => places.get(vip)?.link ?? []), ...defaultLinks]);
  return links.size === 0 ? [{}] : Array.from(links, (name) => ({ in: name }));
}

/** Rewritten: from the balancer, or the client, to the backend. */
function requests(service: ServedService, facts: Facts): Passage[] {
  const vips = service.vips.map(({ address }) => address);
  return backendEndpoints(service).flatMap(({ address, port, protocol }) => {
    const route = facts.routes.get(address);
    if (route === undefined) return [];
    return clientLinks(vips, facts).flatMap((link) => {
      const packet: Packet = {
        family: familyOf(address),
        protocol: Protocol[protocol],
        ...(service.keepsClient || route.source === undefined ? {} : { source: route.source }),
        destination: address,
        destinationPort: port,
        ...link,
        ...(route.isLocal ? {} : { out: route.link }),
        state: 'untracked',
        local: route.isLocal,
      };
      return [passage('prerouting', packet), passage(route.isLocal ? 'input' : 'forward', packet)];
    });
  });
}

/** Rewritten: from the VIP to the client. */
function answers(service: ServedService, facts: Facts): Passage[] {
  const links = new Set(service.backends.flatMap(({ address }) => facts.routes.get(address)?.link ?? []));
  return service.vips
    .filter(({ address }) => address !== '')
    .flatMap(({ address, port, protocol }) =>
      [...links].flatMap((from) =>
        clientLinks([address], facts).map(({ in: to }) => {
          const packet: Packet = {
            family: familyOf(address),
            protocol: Protocol[protocol],
            source: address,
            sourcePort: port,
            in: from,
            ...(to === undefined ? {} : { out: to }),
            state: 'untracked',
            local: false,
          };
          return passage('forward', packet);
        }),
      ),
    );
}

/** IP protocols of tunnels: GRE, and IP in IP by the family inside. */
const gre = 47;
const ipInIp = { 4: 4, 6: 41 } as const;

/** From the client to the backend: in a tunnel, or, on a link of this machine, as it came. */
function tunnelled(service: ServedService, facts: Facts): Passage[] {
  const { encapsulation, vips, backends } = service;
  if (encapsulation === undefined) return [];
  return backends.flatMap(({ address }) => {
    const route = facts.routes.get(address);
    if (route === undefined || route.isLocal) return [];
    return vips.flatMap((vip) =>
      clientLinks([vip.address], facts).flatMap((link) => {
        const way = { ...link, out: route.link, state: 'untracked', local: false } as const;
        const packet: Packet =
          encapsulation === 'l2'
            ? { ...way, ...packetTo(vip) }
            : {
                ...way,
                family: familyOf(address),
                protocol: encapsulation === 'gre' ? gre : ipInIp[familyOf(vip.address)],
                ...(route.source === undefined ? {} : { source: route.source }),
                destination: address,
              };
        return [passage('prerouting', packet), passage('forward', packet)];
      }),
    );
  });
}

/** What backends answer to checks that went through their tunnels: the kernel knows of no connection that it is of. */
function checkAnswers({ vips }: ServedService, { probePorts }: PathAsked): Passage[] {
  if (probePorts === undefined) return [];
  return vips.flatMap(({ address, port, protocol }) => {
    const packet: Packet = {
      family: familyOf(address),
      protocol: Protocol[protocol],
      source: address,
      sourcePort: port,
      destinationPort: probePorts[0],
      state: protocol === 'tcp' ? 'invalid' : 'new',
      local: true,
    };
    const { destinationPort: _, ...match } = passage('input', packet).match;
    return [{ hook: 'input', packet, match }];
  });
}

function packetTo({
  address,
  port,
  protocol,
}: Endpoint): Pick<Packet, 'family' | 'protocol' | 'destination' | 'destinationPort'> {
  return {
    family: familyOf(address),
    protocol: Protocol[protocol],
    destination: address,
    destinationPort: port,
  };
}

function passage(hook: Hook, packet: Packet): Passage {
  const { family, protocol, source, sourcePort, destination, destinationPort } = packet;
  const match: Match = {
    family,
    protocol,
    ...(destination === undefined ? {} : { destinations: [destination] }),
    ...(destinationPort === undefined ? {} : { destinationPort }),
    // A request may come from several addresses of this machine.
    ...(source === undefined || sourcePort === undefined ? {} : { sources: [source], sourcePort }),
  };
  return { hook, packet, match };
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}
