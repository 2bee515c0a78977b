/**
 * Gives numbers to what the daemon asks for and says who takes new flows, one generation after the other. What else
 * stands in a mode's tables under these numbers is the mode's to say.
 */
import { Choices, type TablesWanted } from './choices.ts';
import type { Endpoint } from './kernel/description.ts';
import { type Assignment, LastingNumbers } from './lasting-numbers.ts';
import type { Circumstances } from './mode.ts';
import type { Choice } from './publication.ts';
import type { Vip, VipBackend } from './settings.ts';

/** Numbers are below these. */
export interface PublisherLimits {
  readonly vips: number;
  readonly endpoints: number;
}

export const pathLimits: PublisherLimits = { vips: 1_024, endpoints: 4_096 };

/** What is known of VIPs and endpoints, by their names. */
export interface Wanted<VipValue, EndpointValue> {
  readonly vips: ReadonlyMap<string, VipValue>;
  readonly endpoints: ReadonlyMap<string, EndpointValue>;
}

/** What every mode's generation is made of. */
export interface Numbered<VipValue, EndpointValue> {
  readonly generation: number;
  readonly vips: Assignment<VipValue>;
  readonly endpoints: Assignment<EndpointValue>;
  readonly choices: readonly Choice[];
}

/** The name of a VIP. */
export function vipName({ protocol, address, port }: Endpoint): string {
  return `${protocol} ${address} ${port}`;
}

export class Publisher<V extends Vip, VipValue, EndpointValue> {
  /** By endpoint number: 1 = down. Shared with the workers, and in force at once. */
  readonly endpointDown: Uint8Array;
  readonly #endpointName: (vip: V, backend: VipBackend) => string;
  readonly #choices: Choices;
  readonly #vips: LastingNumbers<VipValue>;
  readonly #endpoints: LastingNumbers<EndpointValue>;
  #generation = 0;

  constructor(
    { vips, endpoints }: PublisherLimits,
    hashSeed: string,
    endpointName: (vip: V, backend: VipBackend) => string,
    tables: TablesWanted,
  ) {
    this.endpointDown = new Uint8Array(new SharedArrayBuffer(endpoints));
    this.#endpointName = endpointName;
    this.#choices = new Choices(hashSeed, tables);
    this.#vips = new LastingNumbers('addresses of services', vips);
    this.#endpoints = new LastingNumbers('backends', endpoints);
  }

  /** The next generation. Throws ERR_SLUICE_TOO_MANY. */
  next(
    vips: readonly V[],
    wanted: Wanted<VipValue, EndpointValue>,
    now: Circumstances,
  ): Numbered<VipValue, EndpointValue> {
    this.#generation++;
    const generation = this.#generation;
    const taken = now.takenGeneration;
    const numbered = {
      vips: this.#vips.assign(wanted.vips, generation, taken, (number) => now.vipInUse(number)),
      endpoints: this.#endpoints.assign(wanted.endpoints, generation, taken, (number) =>
        now.endpointInUse(number),
      ),
    };
    return { generation, ...numbered, choices: this.#choose(vips, numbered, now.refuse) };
  }

  /** An endpoint is down if it is so for each VIP that names it. */
  #choose(
    services: readonly V[],
    {
      vips,
      endpoints,
    }: { readonly vips: Assignment<VipValue>; readonly endpoints: Assignment<EndpointValue> },
    refuse: boolean,
  ): readonly Choice[] {
    const well = new Set<number>();
    const choices = services.map((vip): Choice => {
      const name = vipName(vip);
      const numberOf = (backend: VipBackend): number => endpoints.numberOf(this.#endpointName(vip, backend))!;
      const up = vip.backends.filter((backend) => backend.up);
      for (const backend of up) well.add(numberOf(backend));
      const members = up
        .filter(({ weight }) => weight > 0)
        .map((backend) => ({ endpoint: numberOf(backend), name: backend.name, weight: backend.weight }));
      return { vip: vips.numberOf(name)!, balance: vip.balance, members, refuse };
    });
    for (const { number, retired } of endpoints.all) {
      if (!retired) this.endpointDown[number] = Number(!well.has(number));
    }
    return this.#choices.complete(choices);
  }
}
