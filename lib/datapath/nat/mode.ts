/**
 * Mode nat on the main thread: which addresses its tables hold and which packets they are about.
 *
 *   VIP        protocol, address, port
 *   endpoint   protocol, address, port    one for all services that name it: no two flows to it share a source port
 *   SNAT       address
 */
import type { AddressBook } from '../../conntrack/address-book.ts';
import { type EndpointEntry, ForwardingTables, type TablesSpec } from '../../forward/tables.ts';
import { formatHostPort } from '../../model/address.ts';
import { Protocol } from '../../packet/packet.ts';
import type { Run } from '../kernel/command.ts';
import { type Endpoint, familyOf, type PortRange } from '../kernel/description.ts';
import { LastingNumbers } from '../lasting-numbers.ts';
import type { Circumstances, EndpointValue, Generation, PathMode } from '../mode.ts';
import type { Publication } from '../publication.ts';
import { Publisher, type PublisherLimits, vipName } from '../publisher.ts';
import { routeTo } from '../route.ts';
import type { VipBackend } from '../settings.ts';
import type { CommonSettings } from '../shard.ts';
import type { WorkerTask } from '../worker.ts';
import { natSelectors } from './selectors.ts';
import type { NatSettings, NatVip } from './settings.ts';
import { snatLimit } from './shard.ts';

export interface NatPublication extends Publication {
  readonly tables: TablesSpec;
}

interface VipValue extends Endpoint {
  readonly snat: boolean;
  readonly resetWhenDown: boolean;
  readonly rejectWhenNone: boolean;
}

/** `routed`: some service shows it the clients' own addresses, so that its answers have to be caught by its own. */
interface NatEndpointValue extends EndpointValue, Endpoint {
  readonly routed: boolean;
}

type Settings = Pick<NatSettings, 'name' | 'hashSeed' | 'workers' | 'snatAddresses' | 'snatPorts'>;

export class NatMode implements PathMode<NatVip, NatPublication> {
  readonly holder: string;
  readonly endpointName = endpointName;
  readonly #settings: Settings;
  readonly #run: Run;
  readonly #publisher: Publisher<NatVip, VipValue, NatEndpointValue>;
  readonly #snats = new LastingNumbers<string>('source addresses', snatLimit);
  /** By backend address: what this machine is to it. */
  readonly #ownAddresses = new Map<string, string>();

  constructor(settings: Settings, limits: PublisherLimits, run: Run) {
    this.holder = settings.name;
    this.#settings = settings;
    this.#run = run;
    this.#publisher = new Publisher(limits, settings.hashSeed, endpointName, 'by-policy');
  }

  sourcePorts({ snat }: NatVip, { address }: VipBackend): number | null {
    const [first, last] = this.#settings.snatPorts;
    return snat ? (last - first + 1) * this.#snatsFor(address).length : null;
  }

  async learn(vips: readonly NatVip[]): Promise<void> {
    if (this.#settings.snatAddresses.length > 0) return;
    for (const { address } of vips.filter(({ snat }) => snat).flatMap(({ backends }) => backends)) {
      if (this.#ownAddresses.has(address)) continue;
      const { source } = await routeTo(address, this.#run, 'name the source address with --snat');
      this.#ownAddresses.set(address, source);
    }
  }

  publish(services: readonly NatVip[], now: Circumstances): Generation<NatPublication> {
    const reachable = services.map((vip) => withoutOtherFamily(vip));
    const wanted = {
      vips: new Map(reachable.map((vip) => [vipName(vip), vipValue(vip)])),
      endpoints: endpointsOf(reachable),
    };
    const { generation, vips, endpoints, choices } = this.#publisher.next(reachable, wanted, now);
    const backendAddresses = reachable.flatMap(({ backends }) => backends.map(({ address }) => address));
    const sources = new Set(backendAddresses.flatMap((address) => this.#snatsFor(address)));
    const snats = this.#snats.assign(
      new Map(Array.from(sources, (address) => [address, address])),
      generation,
      now.takenGeneration,
      (number) => now.snatInUse(number),
    );
    const tables: TablesSpec = {
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
          snats: retired ? [] : this.#snatsFor(address).map((snat) => snats.numberOf(snat)!),
        }),
      ),
      snats: snats.all.map(({ number, retired, value: address }) => ({ number, address, retired })),
      snatPorts: this.#settings.snatPorts,
      endpointDown: this.#publisher.endpointDown,
    };
    const { snatPorts, workers } = this.#settings;
    const places = {
      vips: vips.all.map(({ value }) => value),
      snatAddresses: snats.all.map(({ value }) => value),
      snatPorts: sharePorts(snatPorts, workers),
      routedBackends: endpoints.all.map(({ value }) => value).filter(({ routed }) => routed),
      workers,
    };
    return {
      publication: { tables, choices },
      vips,
      endpoints,
      selectors: natSelectors(places),
      sources: [...places.vips.map(({ address }) => address), ...places.snatAddresses],
      markedRoutes: [],
    };
  }

  bookOf({ tables }: NatPublication): AddressBook {
    return new ForwardingTables(tables);
  }

  task(
    worker: number,
    common: CommonSettings,
    publication: NatPublication,
  ): WorkerTask & { readonly mode: 'nat' } {
    const { snatPorts, workers } = this.#settings;
    const settings = { ...common, snatPorts: sharePorts(snatPorts, workers)[worker]! };
    return { mode: 'nat', settings, publication };
  }

  /** The SNAT addresses that a backend can answer to. */
  #snatsFor(backend: string): readonly string[] {
    const { snatAddresses } = this.#settings;
    if (snatAddresses.length > 0) return snatAddresses;
    const own = this.#ownAddresses.get(backend);
    return own === undefined ? [] : [own];
  }
}

function endpointName({ protocol }: NatVip, { address, port }: VipBackend): string {
  return vipName({ protocol, address, port });
}

/** Disjoint shares of a range of ports, by worker. */
function sharePorts([first, last]: PortRange, workers: number): readonly PortRange[] {
  const size = last - first + 1;
  const start = (worker: number): number => first + Math.floor((size * worker) / workers);
  return Array.from({ length: workers }, (_, worker) => [start(worker), start(worker + 1) - 1]);
}

function withoutOtherFamily(vip: NatVip): NatVip {
  const family = familyOf(vip.address);
  return { ...vip, backends: vip.backends.filter(({ address }) => familyOf(address) === family) };
}

function endpointsOf(vips: readonly NatVip[]): ReadonlyMap<string, NatEndpointValue> {
  const endpoints = new Map<string, NatEndpointValue>();
  for (const { protocol, snat, backends } of vips) {
    for (const { address, port } of backends) {
      const name = vipName({ protocol, address, port });
      const routed = !snat || (endpoints.get(name)?.routed ?? false);
      endpoints.set(name, { protocol, address, port, routed, text: formatHostPort(address, port) });
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
