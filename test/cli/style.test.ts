import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ColorQuestion, usesColor } from '../../lib/cli/style.ts';

describe('colour', () => {
  const rows: readonly [what: string, question: ColorQuestion, answer: boolean][] = [
    ['is used on a terminal', { refused: false, env: {}, isTerminal: true }, true],
    ['is not used in a pipe', { refused: false, env: {}, isTerminal: false }, false],
    ['is refused by NO_COLOR', { refused: false, env: { NO_COLOR: '1' }, isTerminal: true }, false],
    [
      'is not refused by an empty NO_COLOR',
      { refused: false, env: { NO_COLOR: '' }, isTerminal: true },
      true,
    ],
    ['is not for dumb terminals', { refused: false, env: { TERM: 'dumb' }, isTerminal: true }, false],
    ['is forced by FORCE_COLOR', { refused: false, env: { FORCE_COLOR: '1' }, isTerminal: false }, true],
    [
      'is forced by FORCE_COLOR whatever else there is',
      { refused: false, env: { FORCE_COLOR: '', NO_COLOR: '1', TERM: 'dumb' }, isTerminal: false },
      true,
    ],
    ['is refused by FORCE_COLOR=0', { refused: false, env: { FORCE_COLOR: '0' }, isTerminal: true }, false],
    [
      'is refused by --no-color above all',
      { refused: true, env: { FORCE_COLOR: '1' }, isTerminal: true },
      false,
    ],
  ];
  for (const [what, question, answer] of rows) {
    it(what, () => assert.equal(usesColor(question), answer));
  }
});
