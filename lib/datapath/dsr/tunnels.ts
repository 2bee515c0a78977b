/**
 * What the machine knows of its tunnels: where each begins, what fits through it, and which address of its own answers
 * can come back to. Asked once for each backend, and now and then again: routes change, and a path's MTU may grow
 * (RFC 1191 §6.3).
 */
import { networkInterfaces } from 'node:os';
import { ExitCode, SluiceError } from '../../model/errors.ts';
import { parseNetwork } from '../../model/network.ts';
import type { Run } from '../kernel/command.ts';
import { familyOf } from '../kernel/description.ts';
import { mtuOf, type Route, routeTo } from '../route.ts';
import type { VipBackend } from '../settings.ts';
import type { DsrVip } from './settings.ts';

/** A tunnel's near end. */
export interface TunnelStart {
  /** The first address of those that it leaves from. */
  readonly source: string;
  /** How many of its low bits vary by flow: 0 to 32. */
  readonly variableBits: number;
  /** The source as it was written, or `source`. */
  readonly network: string;
}

interface Way extends Route {
  /** Of a packet as it leaves here, outer header and all. */
  readonly mtuBytes: number;
}

const mostVariableBits = 32;

export class Tunnels {
  readonly #run: Run;
  /** By backend address. */
  readonly #ways = new Map<string, Way>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Asks about backends that are new. Rejects with a SluiceError. */
  async learn(vips: readonly DsrVip[]): Promise<void> {
    for (const { encapsulation, backends } of vips) {
      for (const { address } of backends) {
        const way = this.#ways.get(address) ?? (await this.#ask(address));
        this.#ways.set(address, way);
        if (encapsulation === 'l2' && !way.onLink) throw notOnLink(address);
      }
    }
  }

  /** Asks about all of them again; of those that cannot be reached now, what was known stays. */
  async refresh(): Promise<void> {
    for (const address of this.#ways.keys()) {
      const way = await this.#ask(address).catch(() => undefined);
      if (way !== undefined) this.#ways.set(address, way);
    }
  }

  /** Forgets all backends but these. */
  keep(addresses: ReadonlySet<string>): void {
    for (const address of [...this.#ways.keys()]) if (!addresses.has(address)) this.#ways.delete(address);
  }

  /** The way to a backend that was learnt. */
  wayTo(address: string): Way {
    return this.#ways.get(address)!;
  }

  startOf({ outerSource }: DsrVip, { address }: VipBackend): TunnelStart {
    const { source } = this.wayTo(address);
    const family = familyOf(address);
    const network = outerSource === 'auto' ? source : outerSource.find((each) => familyOf(each) === family)!;
    const [first = network] = network.split('/');
    const bits = 128 - parseNetwork(network)!.prefixBits;
    return { source: first, variableBits: Math.min(mostVariableBits, bits), network };
  }

  /**
   * An address of this machine that a backend's answers to a VIP's checks come back to: of the VIP's family, on the way
   * to the backend if there is one. Undefined if the machine has none.
   */
  ownAddress(
    { address: vip }: DsrVip,
    { address }: VipBackend,
    vips: ReadonlySet<string>,
  ): string | undefined {
    const way = this.wayTo(address);
    const family = familyOf(vip);
    if (familyOf(way.source) === family && !vips.has(way.source)) return way.source;
    const devices = networkInterfaces();
    const candidates = [devices[way.device], ...Object.values(devices)].flatMap((each) => each ?? []);
    return candidates.find(
      ({ address: own, internal }) =>
        !internal && familyOf(own) === family && !vips.has(own) && !/^fe[89ab]/i.test(own),
    )?.address;
  }

  async #ask(address: string): Promise<Way> {
    const route = await routeTo(address, this.#run, 'name another address of the backend');
    return { ...route, mtuBytes: route.pathMtuBytes ?? (await mtuOf(route.device, this.#run)) };
  }
}

function notOnLink(backend: string): SluiceError {
  return new SluiceError(
    'ERR_SLUICE_NOT_ON_LINK',
    `the backend ${backend} is behind a router, where encap l2 does not reach`,
    { exitCode: ExitCode.configInvalid, remedy: 'use encap gre, or an address of a link of this machine' },
  );
}
