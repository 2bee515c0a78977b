/** Which key does what: one table for the keyboard, for the help and for the line of hints at the foot. */
import type { ViewName } from './state.ts';

/** A key as it was pressed: one that writes text, or one with a name. */
export type Key =
  | { readonly name: 'text'; readonly text: string }
  | {
      readonly name:
        | 'up'
        | 'down'
        | 'left'
        | 'right'
        | 'pageup'
        | 'pagedown'
        | 'home'
        | 'end'
        | 'enter'
        | 'escape'
        | 'tab'
        | 'shift-tab'
        | 'backspace'
        | 'delete'
        | `ctrl-${string}`;
    };

export type Action =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last'
  | 'next-view'
  | 'previous-view'
  | `view-${ViewName}`
  | 'go-to'
  | 'filter'
  | 'sort-next'
  | 'sort-previous'
  | 'sort-reverse'
  | 'pause'
  | 'detail'
  | 'back'
  | 'drain'
  | 'enable'
  | 'weight'
  | 'help'
  | 'redraw'
  | 'quit'
  | 'interrupt';

export interface Binding {
  /** As they are called in the help: a name of a key, or what it writes. */
  readonly keys: readonly string[];
  readonly actions: readonly Action[];
  readonly help: string;
  /** A word for the line at the foot, in the views named; the smaller the rank, the longer it stays. */
  readonly hint?: { readonly text: string; readonly rank: number; readonly views?: readonly ViewName[] };
}

export const bindings: readonly Binding[] = [
  {
    keys: ['1', '2', '3', '4'],
    actions: ['view-overview', 'view-flows', 'view-backends', 'view-log'],
    help: 'go to that view',
  },
  { keys: ['tab', 'shift-tab'], actions: ['next-view', 'previous-view'], help: 'next, previous view' },
  { keys: [':'], actions: ['go-to'], help: 'go to a view by name' },
  { keys: ['k', 'j'], actions: ['up', 'down'], help: 'up, down, as arrows' },
  { keys: ['up', 'down'], actions: ['up', 'down'], help: '' },
  { keys: ['pageup', 'pagedown'], actions: ['page-up', 'page-down'], help: 'a page up, down' },
  { keys: ['ctrl-b', 'ctrl-f'], actions: ['page-up', 'page-down'], help: '' },
  { keys: ['g', 'G'], actions: ['first', 'last'], help: 'first, last' },
  { keys: ['home', 'end'], actions: ['first', 'last'], help: '' },
  {
    keys: ['enter'],
    actions: ['detail'],
    help: 'details, or none',
    hint: { text: 'details', rank: 3, views: ['flows', 'backends', 'log'] },
  },
  {
    keys: ['escape'],
    actions: ['back'],
    help: 'one step back',
  },
  {
    keys: ['/'],
    actions: ['filter'],
    help: 'filter, see below',
    hint: { text: 'filter', rank: 2, views: ['flows', 'backends', 'log'] },
  },
  {
    keys: ['<', '>'],
    actions: ['sort-previous', 'sort-next'],
    help: 'sort by another column',
    hint: { text: 'sort', rank: 4, views: ['flows', 'backends'] },
  },
  { keys: ['left', 'right'], actions: ['sort-previous', 'sort-next'], help: '' },
  {
    keys: ['r'],
    actions: ['sort-reverse'],
    help: 'sort in reverse',
    hint: { text: 'reverse', rank: 8, views: ['flows', 'backends'] },
  },
  {
    keys: ['d'],
    actions: ['drain'],
    help: 'drain the backend',
    hint: { text: 'drain', rank: 5, views: ['flows', 'backends'] },
  },
  {
    keys: ['e'],
    actions: ['enable'],
    help: 'enable it again',
    hint: { text: 'enable', rank: 6, views: ['flows', 'backends'] },
  },
  {
    keys: ['w'],
    actions: ['weight'],
    help: 'give it another weight',
    hint: { text: 'weight', rank: 7, views: ['flows', 'backends'] },
  },
  { keys: ['p'], actions: ['pause'], help: 'pause, and go on', hint: { text: 'pause', rank: 9 } },
  { keys: ['ctrl-l'], actions: ['redraw'], help: 'draw the screen again' },
  { keys: ['?'], actions: ['help'], help: 'help', hint: { text: 'help', rank: 1 } },
  { keys: ['q'], actions: ['quit'], help: 'quit', hint: { text: 'quit', rank: 0 } },
  {
    keys: ['ctrl-c'],
    actions: ['interrupt'],
    help: 'quit, as SIGINT',
  },
];

const actionByKey: ReadonlyMap<string, Action> = new Map(
  bindings.flatMap(({ keys, actions }) =>
    keys.map((key, index): [string, Action] => [key, actions[index] ?? actions[0]!]),
  ),
);

/** What a key does where nothing is written or asked; undefined if nothing. */
export function actionOf(key: Key): Action | undefined {
  return actionByKey.get(key.name === 'text' ? key.text : key.name);
}
