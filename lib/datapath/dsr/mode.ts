/**
 * Mode dsr on the main thread: which tunnels its tables hold and which packets they are about.
 *
 *   VIP        protocol, address, port
 *   endpoint   service, backend address    whatever the port; what a backend is to one service it need not be to another
 */
import type { AddressBook } from '../../conntrack/address-book.ts';
import { type DsrEndpointEntry, DsrTables, type DsrTablesSpec } from '../../forward/dsr-tables.ts';
import { Encapsulation } from '../../packet/encapsulate.ts';
import { Protocol } from '../../packet/packet.ts';
import type { Run } from '../kernel/command.ts';
import { type Endpoint, familyOf, type MarkedRoute } from '../kernel/description.ts';
import type { Assignment } from '../lasting-numbers.ts';
import type { Circumstances, EndpointValue, Generation, PathMode, ProbeSource } from '../mode.ts';
import type { Publication } from '../publication.ts';
import { Publisher, type PublisherLimits, vipName } from '../publisher.ts';
import type { VipBackend } from '../settings.ts';
import type { CommonSettings } from '../shard.ts';
import type { WorkerTask } from '../worker.ts';
import { ProbePorts } from './probe-ports.ts';
import { dsrSelectors } from './selectors.ts';
import type { DsrSettings, DsrVip } from './settings.ts';
import { type TunnelStart, Tunnels } from './tunnels.ts';

export interface DsrPublication extends Publication {
  readonly tables: DsrTablesSpec;
}

interface VipValue extends Endpoint {
  readonly rejectWhenNone: boolean;
}

interface TunnelValue extends EndpointValue, TunnelStart, Pick<DsrVip, 'encapsulation'> {
  readonly address: string;
  /** Families of the VIPs that it serves. */
  readonly families: readonly (4 | 6)[];
}

type Settings = Pick<DsrSettings, 'name' | 'hashSeed' | 'workers' | 'probePorts' | 'newFlows'>;

export class DsrMode implements PathMode<DsrVip, DsrPublication> {
  readonly holder: string;
  readonly endpointName = endpointName;
  readonly #settings: Settings;
  readonly #publisher: Publisher<DsrVip, VipValue, TunnelValue>;
  readonly #tunnels: Tunnels;
  readonly #probePorts: ProbePorts;
  /** By endpoint number: what fits through its tunnel, outer header and all. Workers lower it. */
  readonly #endpointMtu: Uint16Array;
  #endpoints: Assignment<TunnelValue> | undefined;
  /** Addresses of all VIPs. */
  #vips: ReadonlySet<string> = new Set();
  /** What the machine has said is newer than `#endpointMtu`. */
  #refreshed = false;

  constructor(settings: Settings, limits: PublisherLimits, run: Run) {
    this.holder = `${settings.name}/dsr`;
    this.#settings = settings;
    this.#publisher = new Publisher(limits, settings.hashSeed, endpointName, 'always');
    this.#tunnels = new Tunnels(run);
    this.#probePorts = new ProbePorts(settings.probePorts, Math.random());
    this.#endpointMtu = new Uint16Array(new SharedArrayBuffer(limits.endpoints * 2));
  }

  learn(vips: readonly DsrVip[]): Promise<void> {
    return this.#tunnels.learn(vips);
  }

  async refresh(): Promise<void> {
    await this.#tunnels.refresh();
    this.#refreshed = true;
  }

  publish(services: readonly DsrVip[], now: Circumstances): Generation<DsrPublication> {
    const wanted = {
      vips: new Map(services.map((vip) => [vipName(vip), vipValue(vip)])),
      endpoints: this.#tunnelsOf(services),
    };
    const { generation, vips, endpoints, choices } = this.#publisher.next(services, wanted, now);
    this.#endpoints = endpoints;
    this.#vips = new Set(services.map(({ address }) => address));
    this.#tunnels.keep(new Set(endpoints.all.map(({ value }) => value.address)));
    this.#noteMtus(endpoints);
    const markOf = (number: number): number => (now.firstQueue << markShift) | number;
    const tables: DsrTablesSpec = {
      generation,
      vips: vips.all.map(({ number, retired, value }) => ({
        ...value,
        number,
        retired,
        protocol: Protocol[value.protocol],
      })),
      endpoints: endpoints.all.map(
        ({ number, retired, value }): DsrEndpointEntry => ({
          number,
          retired,
          address: value.address,
          encapsulation: Encapsulation[value.encapsulation],
          source: value.source,
          sourceVariation: value.variableBits,
          mark: markOf(number),
        }),
      ),
      endpointDown: this.#publisher.endpointDown,
      endpointMtu: this.#endpointMtu,
      probes: {
        sources: this.#probeSources(services),
        firstPort: this.#settings.probePorts[0],
        endpoints: this.#probePorts.endpoints,
      },
    };
    const tunnels = endpoints.all
      .map(({ value }) => value)
      .filter(({ encapsulation }) => encapsulation !== 'l2');
    const vipPlaces = vips.all.map(({ value }) => value);
    return {
      publication: { tables, choices },
      vips,
      endpoints,
      selectors: dsrSelectors({
        vips: vipPlaces,
        tunnelSources: tunnels.map(({ network, encapsulation }) => ({ network, encapsulation })),
        workers: this.#settings.workers,
      }),
      sources: [
        ...new Set([...vipPlaces.map(({ address }) => address), ...tunnels.map(({ source }) => source)]),
      ],
      markedRoutes: endpoints.all.flatMap(({ number, value }) => this.#markedRoutes(value, markOf(number))),
    };
  }

  probeFrom(vip: DsrVip, backend: VipBackend): ProbeSource | undefined {
    const number = this.#endpoints?.numberOf(endpointName(vip, backend));
    if (number === undefined) return undefined;
    const address = this.#tunnels.ownAddress(vip, backend, this.#vips);
    if (address === undefined) return undefined;
    const port = this.#probePorts.take(number);
    if (port === undefined) return undefined;
    return { address, port, giveBack: () => this.#probePorts.giveBack(port) };
  }

  bookOf({ tables }: DsrPublication): AddressBook {
    return new DsrTables(tables);
  }

  task(_worker: number, common: CommonSettings, publication: DsrPublication): WorkerTask {
    const { newFlows, workers } = this.#settings;
    // With several workers it does: see selectors.ts.
    return { mode: 'dsr', settings: { ...common, newFlows, reassembled: workers > 1 }, publication };
  }

  #tunnelsOf(vips: readonly DsrVip[]): ReadonlyMap<string, TunnelValue> {
    const tunnels = new Map<string, TunnelValue>();
    for (const vip of vips) {
      for (const backend of vip.backends) {
        const name = endpointName(vip, backend);
        const { address } = backend;
        const families = new Set([...(tunnels.get(name)?.families ?? []), familyOf(vip.address)]);
        tunnels.set(name, {
          ...this.#tunnels.startOf(vip, backend),
          text: address,
          address,
          encapsulation: vip.encapsulation,
          families: [...families],
        });
      }
    }
    return tunnels;
  }

  /** What workers have learnt stays until the machine is asked again. */
  #noteMtus({ all, fresh }: Assignment<TunnelValue>): void {
    const news = new Set(fresh);
    for (const { number, retired, value } of all) {
      if (retired || !(this.#refreshed || news.has(number))) continue;
      this.#endpointMtu[number] = Math.min(this.#tunnels.wayTo(value.address).mtuBytes, largestMtu);
    }
    this.#refreshed = false;
  }

  #probeSources(vips: readonly DsrVip[]): readonly string[] {
    const sources = vips.flatMap((vip) =>
      vip.backends.map((backend) => this.#tunnels.ownAddress(vip, backend, this.#vips)),
    );
    return [...new Set(sources.filter((source) => source !== undefined))];
  }

  #markedRoutes({ encapsulation, address, families }: TunnelValue, mark: number): readonly MarkedRoute[] {
    if (encapsulation !== 'l2') return [];
    const { device } = this.#tunnels.wayTo(address);
    return families.map((family) => ({ family, mark, nextHop: address, interface: device }));
  }
}

/** Endpoint numbers fit below it, and a queue's number, of 16 bits, above. */
const markShift = 12;
const largestMtu = 65_535;

function endpointName({ service }: DsrVip, { address }: VipBackend): string {
  return `${service} ${address}`;
}

function vipValue({ protocol, address, port, whenAllDown }: DsrVip): VipValue {
  return { protocol, address, port, rejectWhenNone: whenAllDown === 'reject' };
}
