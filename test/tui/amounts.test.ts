import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bitRate, shortAge, shortAmount, shortBits, shortLatency } from '../../lib/tui/amounts.ts';

function check<Value>(format: (value: Value) => string, cases: readonly (readonly [Value, string])[]): void {
  for (const [value, text] of cases) assert.equal(format(value), text);
}

describe('an amount in few cells', () => {
  it('has three digits at most, and a unit', () => {
    check(shortAmount, [
      [0, '0'],
      [999, '999'],
      [999.6, '1.0k'],
      [1_234, '1.2k'],
      [99_949, '99.9k'],
      [99_951, '100k'],
      [1_500_000, '1.5M'],
      [2.5e18, '2500P'],
      [null, '–'],
    ]);
  });

  it('is in bits where it is a rate', () => {
    check(shortBits, [
      [125, '1.0k'],
      [undefined, '–'],
    ]);
    check(bitRate, [
      [0, '0 bit/s'],
      [125_000_000, '1.0 Gbit/s'],
    ]);
  });
});

describe('a time in few cells', () => {
  it('has two units', () => {
    check(shortAge, [
      [-5, '0s'],
      [59_999, '59s'],
      [61_000, '1m01s'],
      [3_600_000, '1h00m'],
      [1e9, '11d13h'],
    ]);
  });

  it('is as fine as a check needs', () => {
    check(shortLatency, [
      [0.417, '0.42ms'],
      [3.14, '3.1ms'],
      [42.4, '42ms'],
      [1_250, '1.3s'],
      [null, '–'],
    ]);
  });
});
