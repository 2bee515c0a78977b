/** The line at the foot in which a person writes, or answers a question. */
import type { Effect } from './effects.ts';
import type { Key } from './keys.ts';

/** A backend, told apart from others of the same name in other services. */
export interface BackendName {
  readonly service: string;
  readonly name: string;
}

interface Writing {
  readonly text: string;
  /** What is wrong with it; empty if nothing is. */
  readonly problem: string;
}

export type Prompt =
  | (Writing & { readonly kind: 'filter' })
  | (Writing & { readonly kind: 'view' })
  | (Writing & { readonly kind: 'weight'; readonly backend: BackendName; readonly now: number })
  | {
      readonly kind: 'question';
      readonly text: string;
      /** What is done on yes. */
      readonly effect: Effect;
    };

/** What becomes of written text by one more key; undefined for keys that change nothing. */
export function editText(text: string, key: Key): string | undefined {
  switch (key.name) {
    case 'backspace':
    case 'delete':
      return [...text].slice(0, -1).join('');
    case 'ctrl-u':
      return '';
    case 'ctrl-w':
      return text.replace(/\S+\s*$/, '');
    case 'text':
      return text + key.text.replace(/\p{Cc}/u, ' ');
    default:
      return undefined;
  }
}
