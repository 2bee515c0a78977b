import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { axisEnd, bars, latencyBar } from '../../lib/tui/chart.ts';
import { plainText } from '../../lib/tui/text.ts';

const drawn = (values: readonly (number | null)[], width: number, height: number) =>
  bars(values, width, height, 'good').map(plainText);

describe('bars', () => {
  it('stand for the last values, the newest on the right', () => {
    assert.deepEqual(drawn([1, 2, 3, 4, 5], 4, 1), ['▃▅▆█']);
    assert.deepEqual(drawn([5], 4, 1), ['   █']);
  });

  it('are eighths of a cell over several lines', () => {
    assert.deepEqual(drawn([0.5, 1, 1.5, 2], 4, 2), ['  ▄█', '▄███']);
  });

  it('tell nothing from not known', () => {
    assert.deepEqual(drawn([0, null, 5], 3, 1), ['▁ █']);
    assert.deepEqual(
      bars([0, 5], 2, 1, 'bad')[0]!.map(({ tone }) => tone),
      ['muted', 'bad'],
    );
  });

  it('end at a round number, so that the scale seldom moves', () => {
    assert.deepEqual(
      [[], [0, null], [0.3], [1], [1.2], [21], [499], [500.1]].map(axisEnd),
      [1, 1, 0.5, 1, 2, 50, 500, 1_000],
    );
  });
});

describe('the bar of a check', () => {
  it('grows with the power of its latency, and is a cross where it failed', () => {
    assert.equal([0, 0.99, 1, 9, 99, 999, 1_000, 1e9, null].map(latencyBar).join(''), '▁▁▂▃▅▇██×');
  });
});
