/**
 * What a running instance can be asked, by whoever asks: the control socket, the dashboard inside the same
 * process, a test. Everything above the process floor knows an instance through this and nothing else.
 */
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { PlanView } from '../model/plan.ts';
import type { TraceView } from '../model/trace.ts';
import type { BackendView, FlowsView, HistoryView, LogView, PathView, StatusView } from '../model/view.ts';

/** What a person may change about a backend while it runs; absent fields stay as they are. */
export interface BackendPatch {
  readonly state?: 'enabled' | 'draining' | 'disabled';
  readonly weight?: number;
}

/** A configuration file that somebody holds. */
export interface ConfigText {
  readonly text: string;
  /** Its name, for the places in errors. */
  readonly file: string;
}

export interface Controllable {
  /** All listeners are bound and new clients are accepted; false again once a stop has begun. */
  readonly ready: boolean;
  status(): StatusView;
  backends(): readonly BackendView[];
  /** The packet paths that are open. */
  paths(): readonly PathView[];
  flows(query: FlowQuery): FlowsView;
  /** The last `steps` seconds of traffic at most. */
  history(steps: number): HistoryView;
  /** What was logged after the entry with this number, as far as it is remembered; 0 is before the first. */
  log(after: number): LogView;
  /**
   * Changes the backends called `backend` (by name or address) in `service`, or in every service when that is
   * undefined. Returns them as they are now; throws ERR_SLUICE_NO_SUCH_BACKEND when there is none.
   */
  patchBackend(service: string | undefined, backend: string, patch: BackendPatch): readonly BackendView[];
  /** Reads the configuration again and applies the difference; rejects, changing nothing, if it is invalid. */
  reload(): Promise<PlanView>;
  /**
   * What a reload would do, if the configuration were `instead`, or as it is now. Changes nothing; rejects if it is
   * invalid.
   */
  plan(instead?: ConfigText): Promise<PlanView>;
  /** The way of a flow, which may be there or not, through the instance. Changes nothing. */
  trace(flow: FlowTuple): Promise<TraceView>;
  /** Its packet paths at this moment, with those of the flows that `tuples` are packets of. Not to be changed. */
  snapshots(tuples: readonly FlowTuple[]): readonly PathSnapshot[];
  /** Begins an orderly stop: no new clients, live ones until the drain deadline. Once is enough. */
  stop(): void;
}
