/**
 * What comes after what: one event, and the state that follows from it, with what is to be done in the world. Pure; the
 * session does the rest.
 */
import type { LogEntry } from '../model/view.ts';
import { outcome, type Update } from './effects.ts';
import type { Key } from './keys.ts';
import { listHeight } from './layout.ts';
import { anchorList } from './list.ts';
import { pressKey } from './press.ts';
import { logRows, rowKeys } from './rows.ts';
import { type DashboardState, type Sample, type Size, withNotice } from './state.ts';

export type Event =
  | { readonly type: 'key'; readonly key: Key }
  | { readonly type: 'sampled'; readonly sample: Sample }
  | { readonly type: 'logged'; readonly entries: readonly LogEntry[] }
  /** The instance does not answer. */
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'resized'; readonly size: Size }
  /** What was asked for has been done, or has not. */
  | { readonly type: 'noticed'; readonly text: string; readonly tone: 'good' | 'bad' }
  | { readonly type: 'ticked' };

/** As many as an instance remembers. */
const entriesKept = 1_000;

/** The state after an event at `nowMs`. */
export function update(before: DashboardState, event: Event, nowMs: number): Update {
  const { notice } = before;
  const state = {
    ...before,
    nowMs,
    notice: notice !== undefined && notice.untilMs <= nowMs ? undefined : notice,
  };
  if (event.type === 'key') {
    const pressed = pressKey(state, event.key);
    return { ...pressed, state: anchored(pressed.state) };
  }
  return outcome(anchored(afterNews(state, event)));
}

function afterNews(state: DashboardState, event: Exclude<Event, { type: 'key' }>): DashboardState {
  switch (event.type) {
    case 'sampled':
      return sampled(state, event.sample);
    case 'logged':
      return { ...state, ...logged(state, event.entries) };
    case 'lost': {
      const sinceMs = state.link.state === 'lost' ? state.link.sinceMs : state.nowMs;
      return { ...state, link: { state: 'lost', sinceMs, reason: event.reason } };
    }
    case 'resized':
      return { ...state, size: event.size };
    case 'noticed':
      return withNotice(state, event.text, event.tone);
    case 'ticked':
      return state;
  }
}

function sampled(state: DashboardState, sample: Sample): DashboardState {
  const earlier = state.sample;
  const isSameProcess = earlier?.status.pid === sample.status.pid;
  return {
    ...state,
    link: { state: 'live' },
    // A table that was not asked for this time stays as it was until it is.
    sample: { ...sample, flows: sample.flows ?? (isSameProcess ? earlier?.flows : undefined) },
    before: isSameProcess ? beforeOf(state, sample) : undefined,
    log: isSameProcess || earlier === undefined ? state.log : [],
  };
}

/** Rates over less than this would jump about. */
const leastApartMs = 400;

/** The sample that rates begin at: the one before, unless that has only just come. */
function beforeOf({ sample: earlier, before }: DashboardState, { atMs }: Sample): Sample | undefined {
  return earlier === undefined || atMs - earlier.atMs >= leastApartMs ? earlier : before;
}

/** Whoever looks at the end of the log goes on to look at its end. */
function logged(state: DashboardState, entries: readonly LogEntry[]): Pick<DashboardState, 'log' | 'lists'> {
  const rows = logRows(state);
  const isAtEnd = state.lists.log.index >= rows.length - 1;
  const log = [...state.log, ...entries].slice(-entriesKept);
  const list = isAtEnd
    ? { ...state.lists.log, key: undefined, index: Number.MAX_SAFE_INTEGER }
    : state.lists.log;
  return { log, lists: { ...state.lists, log: list } };
}

/** The choice in the present list follows its row. */
function anchored(state: DashboardState): DashboardState {
  const list = state.lists[state.view];
  const next = anchorList(list, rowKeys(state), listHeight(state));
  return next === list ? state : { ...state, lists: { ...state.lists, [state.view]: next } };
}
