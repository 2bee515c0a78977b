/**
 * What a configuration changes about a running instance, before it happens (`sluice plan`) and after (`sluice reload`).
 * Fields are a promise to scripts, as in view.ts.
 */
import type { Mode, Protocol } from './spec.ts';
import type { ReloadView } from './view.ts';

/** `move`: to another backend. `cut`: ends with its backend or service, unless it ends by itself before. */
export type FlowFate = 'stay' | 'move' | 'cut';

/** One of the flows that do not stay. */
export interface FlowExample {
  readonly protocol: Protocol;
  readonly client: string;
  readonly vip: string;
  readonly backend: string | null;
  readonly fate: FlowFate;
}

export interface FlowsPlan {
  readonly live: number;
  readonly stay: number;
  readonly move: number;
  readonly cut: number;
  /** A few of those that do not stay. */
  readonly examples: readonly FlowExample[];
}

/** Of the Maglev tables that place the new flows of a service. */
export interface SlotsPlan {
  readonly slots: number;
  /** Belong to another backend than before. */
  readonly moved: number;
  /** As many move whatever the table, as their backends are due fewer of them. */
  readonly unavoidable: number;
}

export interface BackendsPlan {
  /** By name. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly {
    readonly name: string;
    readonly weight: { readonly from: number; readonly to: number };
  }[];
}

export interface ServicePlan {
  readonly name: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** As it will be; of one that is removed, as it was. So is `listen`. */
  readonly mode: Mode;
  readonly listen: string;
  /** The parts of its configuration that differ: `backends`, `check`, … */
  readonly parts: readonly string[];
  readonly backends: BackendsPlan;
  /** Null where no table places flows before and after, by the same key. */
  readonly slots: SlotsPlan | null;
  readonly flows: FlowsPlan;
}

export interface PlanView extends ReloadView {
  /** Of the instance. */
  readonly name: string;
  /** Those that are added, changed or removed. */
  readonly services: readonly ServicePlan[];
  /** Of all services. */
  readonly flows: FlowsPlan;
  /** How long flows that are to be cut may go on. */
  readonly drainMs: number;
  /** Why a reload would change nothing at all; null if it would not refuse. */
  readonly refused: { readonly message: string; readonly remedy: string | null } | null;
}
