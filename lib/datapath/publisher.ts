/**
 * Turns what the daemon asks for into numbered tables, one generation after the other.
 *
 *   VIP        protocol, address, port
 *   endpoint   protocol, address, port    one for all services that name it: no two flows to it share a source port
 *   SNAT       address
 */
import type { EndpointEntry } from '../forward/tables.ts';
import { Protocol } from '../packet/packet.ts';
import { Choices } from './choices.ts';
import { familyOf } from './kernel/description.ts';
import { type Assignment, LastingNumbers } from './lasting-numbers.ts';
import type { Choice, Publication } from './publication.ts';
import type { NatBackend, NatEndpoint, NatVip } from './settings.ts';

export interface PublisherOptions {
  /** Numbers are below these. */
  readonly limits: { readonly vips: number; readonly endpoints: number; readonly snats: number };
  readonly hashSeed: string;
  readonly snatPorts: readonly [first: number, last: number];
}

/** What the workers are at. */
export interface Usage {
  /** The oldest generation that any of them decides by; read before the others. */
  readonly takenGeneration: number;
  vipInUse(number: number): boolean;
  endpointInUse(number: number): boolean;
  snatInUse(number: number): boolean;
}

/** From a backend's address to the SNAT addresses that it can answer to. */
export type SnatsFor = (backendAddress: string) => readonly string[];

/** `routed`: some service shows it the clients' own addresses, so that its answers have to be caught by its own. */
interface EndpointValue extends NatEndpoint {
  readonly routed: boolean;
}

interface VipValue extends NatEndpoint {
  readonly snat: boolean;
  readonly resetWhenDown: boolean;
  readonly rejectWhenNone: boolean;
}

/** A generation with what the main thread has to know of it. */
export interface Generation {
  readonly publication: Publication;
  readonly vips: Assignment<VipValue>;
  readonly endpoints: Assignment<EndpointValue>;
  readonly snats: Assignment<string>;
}

/** The name of a VIP or endpoint. */
export function endpointName({ protocol, address, port }: NatEndpoint): string {
  return `${protocol} ${address} ${port}`;
}

export class Publisher {
  /** By endpoint number: 1 = down. Shared with the workers, and in force at once. */
  readonly #endpointDown: Uint8Array;
  readonly #snatPorts: readonly [number, number];
  readonly #choices: Choices;
  readonly #vips: LastingNumbers<VipValue>;
  readonly #endpoints: LastingNumbers<EndpointValue>;
  readonly #snats: LastingNumbers<string>;
  #generation = 0;

  constructor({ limits, hashSeed, snatPorts }: PublisherOptions) {
    this.#endpointDown = new Uint8Array(new SharedArrayBuffer(limits.endpoints));
    this.#snatPorts = snatPorts;
    this.#choices = new Choices(hashSeed);
    this.#vips = new LastingNumbers('addresses of services', limits.vips);
    this.#endpoints = new LastingNumbers('backends', limits.endpoints);
    this.#snats = new LastingNumbers('source addresses', limits.snats);
  }

  /** The next generation. With `refuse` nobody takes new flows. Throws ERR_SLUICE_NAT_TOO_MANY. */
  publish(services: readonly NatVip[], snatsFor: SnatsFor, usage: Usage, refuse = false): Generation {
    this.#generation++;
    const generation = this.#generation;
    const taken = usage.takenGeneration;
    const reachable = services.map((vip) => withoutOtherFamily(vip));
    const vips = this.#vips.assign(
      new Map(reachable.map((vip) => [endpointName(vip), vipValue(vip)])),
      generation,
      taken,
      (number) => usage.vipInUse(number),
    );
    const endpoints = this.#endpoints.assign(endpointsOf(reachable), generation, taken, (number) =>
      usage.endpointInUse(number),
    );
    const backendAddresses = reachable.flatMap(({ backends }) => backends.map(({ address }) => address));
    const snats = this.#snats.assign(
      new Map(backendAddresses.flatMap(snatsFor).map((address) => [address, address])),
      generation,
      taken,
      (number) => usage.snatInUse(number),
    );
    const choices = this.#choose(reachable, vips, endpoints, refuse);
    return {
      vips,
      endpoints,
      snats,
      publication: {
        tables: {
          generation,
          vips: vips.all.map(({ number, retired, value }) => ({
            ...value,
            number,
            retired,
            protocol: Protocol[value.protocol],
          })),
          endpoints: endpoints.all.map(
            ({ number, retired, value: { address, port } }): EndpointEntry => ({
              number,
              address,
              port,
              retired,
              snats: retired ? [] : snatsFor(address).map((snat) => snats.numberOf(snat)!),
            }),
          ),
          snats: snats.all.map(({ number, retired, value: address }) => ({ number, address, retired })),
          snatPorts: this.#snatPorts,
          endpointDown: this.#endpointDown,
        },
        choices,
      },
    };
  }

  /** An endpoint is down if it is so for each service that names it. */
  #choose(
    services: readonly NatVip[],
    vips: Assignment<unknown>,
    endpoints: Assignment<unknown>,
    refuse: boolean,
  ): readonly Choice[] {
    const well = new Set<number>();
    const choices = services.map((vip): Choice => {
      const name = endpointName(vip);
      const numberOf = ({ address, port }: NatBackend): number =>
        endpoints.numberOf(endpointName({ protocol: vip.protocol, address, port }))!;
      const candidates = this.#choices.candidates(name, vip);
      for (const backend of vip.backends) if (backend.up) well.add(numberOf(backend));
      for (const backend of candidates) well.add(numberOf(backend));
      const members = candidates.map((backend) => ({
        endpoint: numberOf(backend),
        name: backend.name,
        weight: backend.weight,
      }));
      return { vip: vips.numberOf(name)!, balance: vip.balance, members: refuse ? [] : members };
    });
    for (const { number, retired } of endpoints.all) {
      if (!retired) this.#endpointDown[number] = Number(!well.has(number));
    }
    return this.#choices.complete(choices);
  }
}

function withoutOtherFamily(vip: NatVip): NatVip {
  const family = familyOf(vip.address);
  return { ...vip, backends: vip.backends.filter(({ address }) => familyOf(address) === family) };
}

function endpointsOf(vips: readonly NatVip[]): ReadonlyMap<string, EndpointValue> {
  const endpoints = new Map<string, EndpointValue>();
  for (const { protocol, snat, backends } of vips) {
    for (const { address, port } of backends) {
      const name = endpointName({ protocol, address, port });
      const routed = !snat || (endpoints.get(name)?.routed ?? false);
      endpoints.set(name, { protocol, address, port, routed });
    }
  }
  return endpoints;
}

function vipValue(vip: NatVip): VipValue {
  return {
    address: vip.address,
    port: vip.port,
    protocol: vip.protocol,
    snat: vip.snat,
    resetWhenDown: vip.whenDown === 'reset',
    rejectWhenNone: vip.whenAllDown === 'reject',
  };
}
