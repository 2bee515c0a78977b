/** What a key does to an open prompt: it writes, sends or drops what is written, or answers the question. */
import { nearest } from '../config/nearest.ts';
import { SluiceError } from '../model/errors.ts';
import { parseFlowFilter } from '../model/flow-filter.ts';
import { type Effect, outcome, type Update } from './effects.ts';
import type { Key } from './keys.ts';
import { emptyList } from './list.ts';
import { editText, type Prompt } from './prompt.ts';
import { type DashboardState, type ViewName, viewNames } from './state.ts';

const highestWeight = 65_535;

type Written = Exclude<Prompt, { kind: 'question' }>;

/** The state after a key, while `prompt` is open. */
export function answer(state: DashboardState, prompt: Prompt, key: Key): Update {
  const closed = { ...state, prompt: undefined };
  if (key.name === 'escape') return outcome(closed);
  if (prompt.kind === 'question') {
    if (key.name === 'text' && /^y$/i.test(key.text)) return outcome(closed, prompt.effect);
    return outcome(key.name === 'text' && /^n$/i.test(key.text) ? closed : state);
  }
  if (key.name === 'enter') return send(state, prompt);
  const text = key.name === 'tab' ? completed(prompt) : editText(prompt.text, key);
  if (text === undefined) return outcome(state);
  // To delete what is not there is to leave.
  if (prompt.text === '' && key.name === 'backspace') return outcome(closed);
  return outcome({ ...state, prompt: { ...prompt, text, problem: '' } });
}

function send(state: DashboardState, prompt: Written): Update {
  switch (prompt.kind) {
    case 'filter':
      return sendFilter(state, prompt);
    case 'view':
      return sendView(state, prompt);
    case 'weight':
      return sendWeight(state, prompt);
  }
}

function sendFilter(state: DashboardState, prompt: Written): Update {
  const text = prompt.text.trim();
  try {
    if (state.view !== 'log') parseFlowFilter(text);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return refuse(state, prompt, [error.message, error.remedy].join(' — '));
  }
  return done(
    {
      ...state,
      filters: { ...state.filters, [state.view]: text },
      lists: { ...state.lists, [state.view]: emptyList },
    },
    { type: 'refresh' },
  );
}

function sendView(state: DashboardState, prompt: Written): Update {
  const wanted = prompt.text.trim().toLowerCase();
  if (wanted === 'q' || wanted === 'quit')
    return done(state, { type: state.place === 'inside' ? 'stop' : 'quit' });
  const view = viewCalled(wanted);
  if (view !== undefined) return done({ ...state, view }, { type: 'refresh' });
  const meant = nearest(wanted, viewNames);
  const remedy = meant === undefined ? `there are ${viewNames.join(', ')}` : `did you mean ${meant}?`;
  return refuse(state, prompt, `there is no view ${JSON.stringify(wanted)} — ${remedy}`);
}

function sendWeight(state: DashboardState, prompt: Extract<Prompt, { kind: 'weight' }>): Update {
  const text = prompt.text.trim();
  if (!/^\d+$/.test(text) || Number(text) > highestWeight) {
    return refuse(state, prompt, `a weight is a whole number from 0 to ${highestWeight}`);
  }
  const weight = Number(text);
  const { backend } = prompt;
  return done(state, {
    type: 'patch',
    backend,
    patch: { weight },
    done: `${backend.name} has weight ${weight}`,
  });
}

/** By its name or the beginning of it. */
function viewCalled(text: string): ViewName | undefined {
  return viewNames.find((name) => text !== '' && name.startsWith(text));
}

function completed({ kind, text }: Written): string | undefined {
  return kind === 'view' ? viewCalled(text.trim().toLowerCase()) : undefined;
}

function done(state: DashboardState, effect: Effect): Update {
  return outcome({ ...state, prompt: undefined }, effect);
}

function refuse(state: DashboardState, prompt: Written, problem: string): Update {
  return outcome({ ...state, prompt: { ...prompt, problem } });
}
