/** Hears the keyboard, and says what was pressed in words of our own. */
import { useInput } from 'ink';
import type { Key } from '../keys.ts';

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1];

/** Shows nothing. */
export function Keyboard({ onKey }: { readonly onKey: (key: Key) => void }) {
  useInput((text, key) => {
    for (const pressed of keysOf(text, key)) onKey(pressed);
  });
  return null;
}

const named = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
] as const satisfies readonly (readonly [keyof InkKey, Key['name']])[];

/**
 * The keys of one event, none if nobody knows it. What was pasted, or pressed faster than it was read, comes as one
 * text: it is as many keys as it has characters.
 */
export function keysOf(text: string, key: InkKey): readonly Key[] {
  const found = named.find(([property]) => key[property]);
  if (found !== undefined) return [{ name: found[1] }];
  if (key.tab) return [{ name: key.shift ? 'shift-tab' : 'tab' }];
  if (key.ctrl) return [{ name: `ctrl-${text}` }];
  return [...text].map(keyOfCharacter);
}

function keyOfCharacter(character: string): Key {
  switch (character) {
    case '\r':
    case '\n':
      return { name: 'enter' };
    case '\t':
      return { name: 'tab' };
    case '\b':
    case '\x7f':
      return { name: 'backspace' };
    default:
      return { name: 'text', text: character };
  }
}
