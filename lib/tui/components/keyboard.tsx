/** Hears the keyboard, and says what was pressed in words of our own. */
import { useInput } from 'ink';
import type { Key } from '../keys.ts';

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1];

/** Shows nothing. */
export function Keyboard({ onKey }: { readonly onKey: (key: Key) => void }) {
  useInput((text, key) => {
    const pressed = keyOf(text, key);
    if (pressed !== undefined) onKey(pressed);
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

/** Undefined for keys that nobody knows. */
export function keyOf(text: string, key: InkKey): Key | undefined {
  const found = named.find(([property]) => key[property]);
  if (found !== undefined) return { name: found[1] };
  if (key.tab) return { name: key.shift ? 'shift-tab' : 'tab' };
  if (key.ctrl) return { name: `ctrl-${text}` };
  return text === '' ? undefined : { name: 'text', text };
}
