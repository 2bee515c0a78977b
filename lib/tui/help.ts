/** The help: every key and what it does, and what may be written into a filter. */
import { bindings } from './keys.ts';
import type { Size } from './state.ts';
import { besideLines, headingLine, type Line, span } from './text.ts';

const keysWidth = 16;
const wordsWidth = 24;
const columnWidth = 44;

const filterWords: readonly (readonly [words: string, meaning: string])[] = [
  ['198.51.100.7  fd00::1', 'an address, of client, VIP or backend'],
  ['10.0.0.0/8', 'a network'],
  ['10.0.0.2:80  :443', 'a port'],
  ['established  tcp', 'a state, a protocol'],
  ['web', 'a part of the name of a service or a backend'],
  ['client:10.0.0.0/8', 'there alone; also vip, backend, port, state, service'],
];

/** All lines: the keys in two columns, and below them the filters, of whose words a flow has to fit all. */
export function helpLines({ columns, rows }: Size): readonly Line[] {
  const keys = bindings
    .filter(({ help }) => help !== '')
    .map(({ keys: names, help }) => entry(names.join(' '), help, keysWidth));
  const half = Math.ceil(keys.length / 2);
  const width = Math.min(columnWidth, Math.floor(columns / 2));
  return [
    ...besideLines(keys.slice(0, half), width, 0, keys.slice(half)),
    headingLine('Filters', columns, 'a flow has to fit all words'),
    ...filterWords.map(([words, meaning]) => entry(words, meaning, wordsWidth)),
  ].slice(0, rows);
}

function entry(words: string, meaning: string, width: number): Line {
  return [span(` ${words.padEnd(width)}`, 'accent'), span(meaning)];
}
