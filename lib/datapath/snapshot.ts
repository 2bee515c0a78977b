/**
 * A packet path at one moment, as plain data: enough to run packets through the code that its workers run, somewhere
 * else and without touching them.
 */
import type { FlowCopy } from './flow-finder.ts';
import type { RulesDescription } from './kernel/description.ts';
import type { RuleToolName } from './kernel/rule-tool.ts';
import type { Generation, PathMode } from './mode.ts';
import type { Publication } from './publication.ts';
import { vipName } from './publisher.ts';
import type { Vip } from './settings.ts';
import type { CommonSettings } from './shard.ts';
import type { WorkerTask } from './worker.ts';

export interface PathSnapshot {
  /** On the scale of the flows' ticks. */
  readonly nowMs: number;
  /** What the workers do, by their number. */
  readonly tasks: readonly WorkerTask[];
  readonly rules: RulesDescription;
  /** What has brought the rules in; undefined where there are none. */
  readonly tool: RuleToolName | undefined;
  /** The VIPs that take new flows, and what each backend's endpoint is called. */
  readonly vips: readonly {
    readonly number: number;
    readonly vip: Vip;
    /** By place in `vip.backends`; 0 for one that has none, being of the other family. */
    readonly endpoints: readonly number[];
  }[];
  readonly endpoints: readonly { readonly number: number; readonly text: string }[];
  /** Those that were asked for. */
  readonly flows: readonly FlowCopy[];
  /** Flows now, by worker and endpoint number. */
  readonly loads: readonly Uint32Array[];
}

export interface SnapshotParts<V extends Vip, P extends Publication>
  extends Pick<PathSnapshot, 'nowMs' | 'rules' | 'tool' | 'flows'> {
  readonly mode: PathMode<V, P>;
  readonly generation: Generation<P>;
  /** As they were published. */
  readonly vips: readonly V[];
  readonly settings: Omit<CommonSettings, 'key'>;
  /** By worker, by the numbers that there could be. */
  readonly loads: readonly Uint32Array[];
}

/** A secret is needed only where there are strangers. */
const noSecret = { low: 0, high: 0 };

/** Puts a snapshot together. It shares what never changes, and what health checks change, with whoever it was taken of. */
export function takeSnapshot<V extends Vip, P extends Publication>(parts: SnapshotParts<V, P>): PathSnapshot {
  const { mode, generation, vips, settings, loads, ...others } = parts;
  const common = { ...settings, key: noSecret };
  const endpoints = generation.endpoints.all.map(({ number, value: { text } }) => ({ number, text }));
  const highest = endpoints.reduce((most, { number }) => Math.max(most, number), 0);
  return {
    ...others,
    tasks: loads.map((_, worker) => mode.task(worker, common, generation.publication)),
    vips: vips.map((vip) => ({
      number: generation.vips.numberOf(vipName(vip))!,
      vip,
      endpoints: vip.backends.map(
        (backend) => generation.endpoints.numberOf(mode.endpointName(vip, backend)) ?? 0,
      ),
    })),
    endpoints,
    loads: loads.map((load) => load.slice(0, highest + 1)),
  };
}
