/**
 * A packet path that no packet goes through: its tables are made, and nothing is done to the machine. For questions
 * about a configuration.
 */
import type { FlowTuple } from '../hash/flow-key.ts';
import { noTraffic, type Traffic } from '../model/traffic.ts';
import type { PathView } from '../model/view.ts';
import { DsrMode } from './dsr/mode.ts';
import type { DsrSettings, DsrVip } from './dsr/settings.ts';
import type { FlowGroup } from './flow-groups.ts';
import type { FoundFlows } from './flow-list.ts';
import { CommandError, commandRunner, type Run } from './kernel/command.ts';
import type { Generation, PathMode } from './mode.ts';
import { NatMode } from './nat/mode.ts';
import type { NatSettings, NatVip } from './nat/settings.ts';
import type { Publication } from './publication.ts';
import { pathLimits } from './publisher.ts';
import type { PathSettings, Vip } from './settings.ts';
import { type PathSnapshot, takeSnapshot } from './snapshot.ts';

const unused = {
  takenGeneration: 0,
  vipInUse: () => false,
  endpointInUse: () => false,
  snatInUse: () => false,
  refuse: false,
  firstQueue: 0,
};

export class OfflineDatapath<V extends Vip, P extends Publication> {
  readonly #mode: PathMode<V, P>;
  readonly #settings: PathSettings;
  #vips: readonly V[] = [];
  #generation: Generation<P> | undefined;

  constructor(mode: PathMode<V, P>, settings: PathSettings) {
    this.#mode = mode;
    this.#settings = settings;
  }

  start(vips: readonly V[]): Promise<void> {
    return this.publish(vips);
  }

  async publish(vips: readonly V[]): Promise<void> {
    await this.#mode.learn(vips);
    this.#vips = vips;
    this.#generation = this.#mode.publish(vips, unused);
  }

  snapshot(_tuples: readonly FlowTuple[]): PathSnapshot {
    const { workers, hashSeed, timeouts, onFailure } = this.#settings;
    const generation = this.#generation!;
    return takeSnapshot({
      mode: this.#mode,
      generation,
      vips: this.#vips,
      settings: { hashSeed, timeouts, batchSize: 1 },
      nowMs: 0,
      rules: { selectors: generation.selectors, workers, firstQueue: 0, spreadSeed: 0, onFailure },
      tool: undefined,
      flows: [],
      loads: Array.from({ length: workers }, () => new Uint32Array(pathLimits.endpoints)),
    });
  }

  probeFrom(): undefined {
    return undefined;
  }

  vipTraffic(): Traffic {
    return noTraffic;
  }

  backendTraffic(): Traffic {
    return noTraffic;
  }

  sourcePorts(): null {
    return null;
  }

  view(): Omit<PathView, 'mode'> {
    return { generation: this.#generation!.publication.tables.generation, halfOpen: {}, workers: [] };
  }

  drops(): Readonly<Record<string, number>> {
    return {};
  }

  flows(): FoundFlows {
    return { flows: [], matching: 0 };
  }

  flowCount(): number {
    return 0;
  }

  groups(): readonly FlowGroup[] {
    return [];
  }

  refuse(): void {}

  async stop(): Promise<void> {}
}

/** The tables of mode nat. */
export function offlineNat(settings: NatSettings): OfflineDatapath<NatVip, Publication> {
  const mode = new NatMode(settings, pathLimits, lenient(commandRunner(settings.directory)));
  return new OfflineDatapath(mode, settings);
}

/** The tables of mode dsr. */
export function offlineDsr(settings: DsrSettings): OfflineDatapath<DsrVip, Publication> {
  const mode = new DsrMode(settings, pathLimits, lenient(commandRunner(settings.directory)));
  return new OfflineDatapath(mode, settings);
}

/** Where this machine has no route to a backend, the machine that is meant may: its address is not known here. */
function lenient(run: Run): Run {
  return async (program, args, input) => {
    try {
      return await run(program, args, input);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const unspecified = args.at(-1)!.includes(':') ? '::' : '0.0.0.0';
      return JSON.stringify([{ prefsrc: unspecified, dev: 'lo' }]);
    }
  };
}
