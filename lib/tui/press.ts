/** What a key does: to the prompt if one is open, to the help if that is, and else as the table of keys says. */
import type { BackendPatch } from '../control/controllable.ts';
import type { BackendView } from '../model/view.ts';
import { answer } from './answer.ts';
import { outcome, type Update } from './effects.ts';
import { type Action, actionOf, type Key } from './keys.ts';
import { hasDetail, listHeight } from './layout.ts';
import { chooseRow, holdRow } from './list.ts';
import type { Prompt } from './prompt.ts';
import { chosenBackend, rowKeys } from './rows.ts';
import { sortBy } from './sort.ts';
import { type DashboardState, type ViewName, viewNames, withNotice } from './state.ts';

/** The state after a key. */
export function pressKey(state: DashboardState, key: Key): Update {
  if (key.name === 'ctrl-c') return act(state, 'interrupt');
  if (state.prompt !== undefined) return answer(state, state.prompt, key);
  if (state.isHelpOpen) return outcome({ ...state, isHelpOpen: false });
  const action = actionOf(key);
  return action === undefined ? outcome(state) : act(state, action);
}

function act(state: DashboardState, action: Action): Update {
  switch (action) {
    case 'up':
      return move(state, -1);
    case 'down':
      return move(state, 1);
    case 'page-up':
      return move(state, -listHeight(state));
    case 'page-down':
      return move(state, listHeight(state));
    case 'first':
      return move(state, Number.NEGATIVE_INFINITY);
    case 'last':
      return move(state, Number.POSITIVE_INFINITY);
    case 'next-view':
      return go(state, viewAfter(state.view, 1));
    case 'previous-view':
      return go(state, viewAfter(state.view, -1));
    case 'view-overview':
    case 'view-flows':
    case 'view-backends':
    case 'view-log':
      return go(state, action.slice('view-'.length) as ViewName);
    case 'go-to':
      return outcome({ ...state, prompt: { kind: 'view', text: '', problem: '' } });
    case 'filter':
      if (state.view === 'overview') return outcome(state);
      return outcome({ ...state, prompt: { kind: 'filter', text: state.filters[state.view], problem: '' } });
    case 'sort-next':
      return sortBy(state, 'next');
    case 'sort-previous':
      return sortBy(state, 'previous');
    case 'sort-reverse':
      return sortBy(state, 'reverse');
    case 'pause':
      if (state.isPaused) return outcome({ ...state, isPaused: false }, { type: 'refresh' });
      return outcome({ ...state, isPaused: true });
    case 'detail':
      return detail(state);
    case 'back':
      return back(state);
    case 'drain':
      return askToPatch(state, 'Drain', { state: 'draining' }, 'is draining');
    case 'enable':
      return askToPatch(state, 'Enable', { state: 'enabled' }, 'is enabled');
    case 'weight':
      return withBackend(state, ({ service, name, weight: now }) => ({
        kind: 'weight',
        backend: { service, name },
        now,
        text: '',
        problem: '',
      }));
    case 'help':
      return outcome({ ...state, isHelpOpen: true });
    case 'redraw':
      return outcome(state, { type: 'redraw' });
    case 'quit':
      return quit(state);
    case 'interrupt':
      return outcome(state, { type: state.place === 'inside' ? 'stop' : 'quit' });
  }
}

/** Towards rows that are not there yet, and details of another one, the instance is asked for them. */
function move(state: DashboardState, by: number): Update {
  const list = state.lists[state.view];
  const chosen = chooseRow(list, list.index + by, rowKeys(state), listHeight(state));
  // Whoever goes to the top wants to see what is there, and not what was.
  const next = holdRow(chosen, by !== Number.NEGATIVE_INFINITY);
  const moved = { ...state, lists: { ...state.lists, [state.view]: next } };
  const isNews = state.view === 'flows' && (state.isDetailOpen || next.offset !== list.offset);
  return isNews ? outcome(moved, { type: 'refresh' }) : outcome(moved);
}

function viewAfter(view: ViewName, by: 1 | -1): ViewName {
  return viewNames[(viewNames.indexOf(view) + by + viewNames.length) % viewNames.length]!;
}

function go(state: DashboardState, view: ViewName): Update {
  return view === state.view ? outcome(state) : outcome({ ...state, view }, { type: 'refresh' });
}

/** What is looked at closely does not run away. */
function detail(state: DashboardState): Update {
  if (!hasDetail(state.view)) return outcome(state);
  const held = holdRow(state.lists[state.view], true);
  const next = { ...state, lists: { ...state.lists, [state.view]: held }, isDetailOpen: !state.isDetailOpen };
  return outcome(next, { type: 'refresh' });
}

function back(state: DashboardState): Update {
  if (state.isDetailOpen && hasDetail(state.view)) return outcome({ ...state, isDetailOpen: false });
  if (state.filters[state.view] === '') return outcome(state);
  return outcome({ ...state, filters: { ...state.filters, [state.view]: '' } }, { type: 'refresh' });
}

function askToPatch(state: DashboardState, verb: string, patch: BackendPatch, done: string): Update {
  return withBackend(state, ({ service, name }) => ({
    kind: 'question',
    text: `${verb} ${name} of ${service}?`,
    effect: { type: 'patch', backend: { service, name }, patch, done: `${name} ${done}` },
  }));
}

/** A prompt about the chosen backend; where none is chosen, a word on how to choose one. */
function withBackend(state: DashboardState, prompt: (backend: BackendView) => Prompt): Update {
  const backend = chosenBackend(state);
  if (backend !== undefined) return outcome({ ...state, prompt: prompt(backend) });
  const isEmpty = state.view === 'flows' || state.view === 'backends';
  const text = isEmpty ? 'there is no backend in this row' : 'choose a backend first: press 3';
  return outcome(withNotice(state, text, 'plain'));
}

function quit(state: DashboardState): Update {
  if (state.place === 'attached') return outcome(state, { type: 'quit' });
  if (!state.asksBeforeStop) return outcome(state, { type: 'stop' });
  const name = state.sample?.status.name ?? 'sluice';
  return outcome({
    ...state,
    prompt: { kind: 'question', text: `Stop ${name}?`, effect: { type: 'stop' } },
  });
}
