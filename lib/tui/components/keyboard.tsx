/** Hears the keyboard, and says what was pressed in words of our own. */
import { useInput } from 'ink';
import type { Key } from '../keys.ts';

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1];

/** Shows nothing. */
export function Keyboard({ onKey }: { readonly onKey: (key: Key) => void }) {
  useInput((text, key) => keysOf(text, key).forEach(onKey));
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
 * The keys behind what Ink has read at once: one, or several that were pressed faster than they could be read. An
 * escape that another key follows so fast looks like that key with a modifier.
 */
export function keysOf(text: string, key: InkKey): readonly Key[] {
  const found = named.find(([property]) => key[property]);
  if (found !== undefined) return [{ name: found[1] }];
  if (key.tab) return [{ name: key.shift ? 'shift-tab' : 'tab' }];
  if (key.ctrl) return [{ name: `ctrl-${text}` }];
  const keys = Array.from(text, keyOfCharacter);
  return key.meta && keys.length > 0 ? [{ name: 'escape' }, ...keys] : keys;
}

function keyOfCharacter(character: string): Key {
  const code = character.charCodeAt(0);
  switch (character) {
    case '\t':
      return { name: 'tab' };
    case '\r':
    case '\n':
      return { name: 'enter' };
    case '\b':
    case '\u007f':
      return { name: 'backspace' };
    default:
      return code < 0x20
        ? { name: `ctrl-${String.fromCharCode(code + 0x60)}` }
        : { name: 'text', text: character };
  }
}
