/**
 * The dashboard's pictures, compared with those that somebody has looked at and found good. Each file has the frame as
 * text, and below it how it looks, a letter for each cell:
 *
 *     b bold  d dim  i inverse  r g y c m colours, capital where bold
 *
 * After a change, `KEEP_FRAMES=1 npx tsx --test test/tui/frames.test.ts` writes them anew; look at the difference.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { styledCharsFromTokens, tokenize } from '@alcalzone/ansi-tokenize';
import { type Size, viewNames } from '../../lib/tui/state.ts';
import { Driver, large, small, stripLooks } from './support.tsx';
import { type Family, withoutAnswers } from './world.ts';

Object.assign(process.env, { TZ: 'UTC' });

const { KEEP_FRAMES } = process.env;
const folder = new URL('./frames/', import.meta.url);

const sizes: Readonly<Record<string, Size>> = { '80x24': small, '200x60': large };
const families: readonly Family[] = ['ipv4', 'ipv6'];

function compare(name: string, driver: Driver): void {
  const { columns, rows } = driver.state.size;
  const frame = driver.frame();
  const lines = stripLooks(frame).split('\n');
  assert.ok(lines.length <= rows, `${lines.length} lines`);
  for (const line of lines) assert.ok([...line].length <= columns, line);
  const shown = `${lines.map((line) => line.trimEnd()).join('\n')}\n\n${looksOf(frame)}\n`;
  const file = new URL(`${name}.txt`, folder);
  if (KEEP_FRAMES !== undefined) writeFileSync(file, shown);
  assert.ok(existsSync(file), `${name} was never kept`);
  assert.equal(shown, readFileSync(file, 'utf8'));
}

/** A letter for each cell that looks like anything. */
function looksOf(frame: string): string {
  const letters: Readonly<Record<string, string>> = { '31': 'r', '32': 'g', '33': 'y', '35': 'm', '36': 'c' };
  return frame
    .split('\n')
    .map((line) =>
      styledCharsFromTokens(tokenize(line))
        .map(({ styles }) => {
          const codes = styles.map(({ code }) => code.slice(2, -1));
          if (codes.includes('7')) return 'i';
          const colour = codes.map((code) => letters[code]).find((letter) => letter !== undefined);
          if (codes.includes('1')) return colour?.toUpperCase() ?? 'b';
          return colour ?? (codes.includes('2') ? 'd' : '.');
        })
        .join('')
        .replace(/\.+$/, ''),
    )
    .join('\n');
}

describe('the picture of a view', () => {
  for (const [sizeName, size] of Object.entries(sizes)) {
    for (const family of families) {
      for (const view of viewNames) {
        it(`is as it was kept: ${view}, ${sizeName}, ${family}`, () => {
          compare(`${view}-${sizeName}-${family}`, new Driver({ size, view }, family).learn());
        });
      }
      for (const view of ['flows', 'backends', 'log'] as const) {
        it(`is as it was kept: ${view} with details, ${sizeName}, ${family}`, () => {
          compare(
            `${view}-detail-${sizeName}-${family}`,
            new Driver({ size, view }, family).learn().press('j<enter>'),
          );
        });
      }
      for (const [view, keys] of [
        ['overview', ''],
        ['flows', 'j<enter>'],
        ['backends', 'j<enter>'],
      ] as const) {
        it(`is as it was kept: ${view} without answers, ${sizeName}, ${family}`, () => {
          const driver = new Driver({ size, view }, family, withoutAnswers).learn();
          compare(`${view}-dsr-${sizeName}-${family}`, driver.press(keys));
        });
      }
    }
    it(`is as it was kept: help, ${sizeName}`, () => {
      compare(`help-${sizeName}`, new Driver({ size }).learn().press('?'));
    });
  }
});

describe('the picture of a moment', () => {
  it('is as it was kept: before the first answer', () => compare('waiting', new Driver()));

  it('is as it was kept: before rates are known', () =>
    compare('first-second', new Driver({ view: 'backends' }).sample()));

  it('is as it was kept: a filter that is written', () => {
    compare('filter', new Driver({ view: 'flows' }).learn().press('/10.0.2.12 estab'));
  });

  it('is as it was kept: flows that fit a filter', () => {
    compare('filtered', new Driver({ view: 'flows' }).learn().press('/udp closing<enter>'));
  });

  it('is as it was kept: a filter that is none', () => {
    compare('filter-refused', new Driver({ view: 'flows' }).learn().press('/port:http<enter>'));
  });

  it('is as it was kept: no flow fits', () => {
    compare('nothing-fits', new Driver({ view: 'flows' }).learn().press('/203.0.113.0/24<enter>'));
  });

  it('is as it was kept: nothing was logged', () => {
    compare('no-log', new Driver({ view: 'log' }).sample());
  });

  it('is as it was kept: a question', () =>
    compare('question', new Driver({ view: 'backends' }).learn().press('jd')));

  it('is as it was kept: a weight', () =>
    compare('weight', new Driver({ view: 'backends' }).learn().press('w12')));

  it('is as it was kept: the instance is gone', () => {
    const driver = new Driver().learn();
    driver.send({ type: 'lost', reason: 'no instance answers' });
    driver.nowMs += 12_000;
    compare('lost', driver.send({ type: 'ticked' }));
  });

  it('is as it was kept: paused, with a word to the person', () => {
    compare('paused', new Driver().learn().press('pd'));
  });

  it('is as it was kept: a stop that waits for flows', () => {
    const driver = new Driver({ place: 'inside' }).learn();
    const { status } = driver.state.sample!;
    compare('draining', driver.sample(1_000, { status: { ...status, state: 'draining' } }));
  });

  it('is as it was kept: so small that hardly anything fits', () => {
    compare('tiny', new Driver({ size: { columns: 30, rows: 8 }, view: 'flows' }).learn());
    compare('tiniest', new Driver({ size: { columns: 20, rows: 5 }, hint: 'From a shell' }).learn());
  });
});
