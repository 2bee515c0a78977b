import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../lib/model/duration.ts';
import { SluiceError } from '../../lib/model/errors.ts';

describe('a duration', () => {
  for (const [text, ms] of [
    ['0s', 0],
    ['250ms', 250],
    ['1s', 1_000],
    ['1.5s', 1_500],
    ['1.1s', 1_100],
    ['0.0004s', 0],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['0.5h', 1_800_000],
    ['596h', 2_145_600_000],
  ] as const) {
    it(`of ${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms));
  }

  for (const [text, message, remedy] of [
    ['5', '"5" is not a duration: the unit is missing', 'write 5ms, 5s, 5m or 5h'],
    ['1.5', '"1.5" is not a duration: the unit is missing', 'write 1.5ms, 1.5s, 1.5m or 1.5h'],
    ['5d', '"5d" is not a duration: unit d is unknown', 'use ms, s, m or h'],
    ['5sec', '"5sec" is not a duration: unit sec is unknown', 'use ms, s, m or h'],
    ['', '"" is not a duration: it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h'],
    ['s', '"s" is not a duration: it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h'],
    ['-5s', '"-5s" is not a duration: it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h'],
    ['1m30s', '"1m30s" is not a duration: it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h'],
    ['1,5s', '"1,5s" is not a duration: it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h'],
    ['.5s', '".5s" is not a duration: it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h'],
    ['5s\n', '"5s\\n" is not a duration: it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h'],
    ['597h', '"597h" is not a duration: it is too long', 'use 596h at most'],
  ] as const) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseDuration(text), { name: 'SluiceError', message, remedy, exitCode: 2 });
    });
  }

  for (const [ms, text] of [
    [0, '0ms'],
    [250, '250ms'],
    [0.26, '0.3ms'],
    [999.96, '1s'],
    [1_500, '1.5s'],
    [1_234, '1.2s'],
    [59_990, '1m'],
    [90_000, '1.5m'],
    [3_599_999, '1h'],
    [7_200_000, '2h'],
    [864_000_000, '240h'],
  ] as const) {
    it(`of ${ms} ms is written ${text}`, () => assert.equal(formatDuration(ms), text));
  }

  it('that was written is read again, within a twentieth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (ms) => {
        assert.ok(Math.abs(parseDuration(formatDuration(ms)) - ms) <= ms / 20);
      }),
    );
  });

  it('is read or refused, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.msh -e') }), (text) => {
        try {
          assert.ok(Number.isInteger(parseDuration(text)));
        } catch (error) {
          assert.ok(error instanceof SluiceError);
        }
      }),
    );
  });
});
