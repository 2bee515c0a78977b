/**
 * Everything that the dashboard shows follows from this: what the instance has said, and what the person has done.
 * Plain data that is never changed in place; update.ts says what comes after what.
 */
import type { FlowSort } from '../model/flow-query.ts';
import type { TraceView } from '../model/trace.ts';
import type { BackendView, FlowsView, HistoryView, LogEntry, StatusView } from '../model/view.ts';
import { emptyList, type ListState } from './list.ts';
import type { Prompt } from './prompt.ts';

export const viewNames = ['overview', 'flows', 'backends', 'log'] as const;

export type ViewName = (typeof viewNames)[number];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What the instance said at one moment. */
export interface Sample {
  /** Monotonic. */
  readonly atMs: number;
  readonly status: StatusView;
  readonly backends: readonly BackendView[];
  readonly history: HistoryView;
  /** Asked for only where they are shown. */
  readonly flows: FlowsView | undefined;
  /** Of the chosen flow, while its details are open. */
  readonly trace: TraceView | undefined;
}

/** Whether the instance answers. */
export type Link =
  | { readonly state: 'waiting' }
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly sinceMs: number; readonly reason: string };

/** A word to the person, for a few seconds. */
export interface Notice {
  readonly text: string;
  readonly tone: 'good' | 'bad' | 'plain';
  readonly untilMs: number;
}

export interface Sort<Column extends string> {
  readonly column: Column;
  readonly isReversed: boolean;
}

/** What backends can be sorted by, as the columns of their table are called. */
export const backendSorts = [
  'backend',
  'service',
  'state',
  'since',
  'weight',
  'flows',
  'latency',
  'new',
  'rate-in',
  'rate-out',
] as const;

export type BackendSort = (typeof backendSorts)[number];

export interface DashboardState {
  readonly size: Size;
  /** `inside` the process of the instance, whose end is the dashboard's; or `attached` to another. */
  readonly place: 'inside' | 'attached';
  /** Whether quitting inside stops the instance only after a question. */
  readonly asksBeforeStop: boolean;
  /** A line at the foot of the overview. */
  readonly hint: string;
  readonly view: ViewName;
  /** Monotonic: the time of the last event. */
  readonly nowMs: number;
  readonly link: Link;
  readonly isPaused: boolean;
  readonly sample: Sample | undefined;
  /** The one before, of the same process: rates lie between the two. */
  readonly before: Sample | undefined;
  readonly log: readonly LogEntry[];
  readonly lists: Readonly<Record<ViewName, ListState>>;
  readonly filters: Readonly<Record<ViewName, string>>;
  /** Until the person chooses, the fastest come first. */
  readonly flowSort: Sort<FlowSort> | undefined;
  readonly backendSort: Sort<BackendSort>;
  readonly prompt: Prompt | undefined;
  readonly notice: Notice | undefined;
  readonly isHelpOpen: boolean;
  readonly isDetailOpen: boolean;
}

export interface Beginning {
  readonly size: Size;
  readonly place: DashboardState['place'];
  readonly view?: ViewName;
  readonly asksBeforeStop?: boolean;
  readonly hint?: string;
}

const noticeMs = 4_000;

/** The state with a word to the person. */
export function withNotice(state: DashboardState, text: string, tone: Notice['tone']): DashboardState {
  return { ...state, notice: { text, tone, untilMs: state.nowMs + noticeMs } };
}

/** Before anything has been said or done. */
export function initialState({
  size,
  place,
  view = 'overview',
  asksBeforeStop = true,
  hint = '',
}: Beginning): DashboardState {
  return {
    size,
    place,
    asksBeforeStop,
    hint,
    view,
    nowMs: 0,
    link: { state: 'waiting' },
    isPaused: false,
    sample: undefined,
    before: undefined,
    log: [],
    lists: { overview: emptyList, flows: emptyList, backends: emptyList, log: emptyList },
    filters: { overview: '', flows: '', backends: '', log: '' },
    flowSort: undefined,
    backendSort: { column: 'service', isReversed: false },
    prompt: undefined,
    notice: undefined,
    isHelpOpen: false,
    isDetailOpen: false,
  };
}
