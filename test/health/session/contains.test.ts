import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerLimitBytes, contains } from '../../../lib/health/session/contains.ts';

/** The text in UTF-8, cut wherever `cuts` says. */
function inPieces(text: string, cuts: readonly number[]): Readable {
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return Readable.from(ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)));
}

describe('the search for a text in a stream', () => {
  it('agrees with a search of the whole, however that was cut', async () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 40 });
    const wanted = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(letters, wanted, fc.array(fc.nat(), { maxLength: 10 }), async (text, want, cuts) => {
        assert.equal(await contains(inPieces(text, cuts), want), text.includes(want));
      }),
      { numRuns: 500 },
    );
  });

  it('finds what ends at the limit, in one piece or in two', async () => {
    const text = `${'x'.repeat(answerLimitBytes - 2)}ok`;
    assert.equal(await contains(inPieces(text, []), 'ok'), true);
    assert.equal(await contains(inPieces(text, [answerLimitBytes - 1]), 'ok'), true);
  });

  it('does not find what reaches beyond it, and reads no further', async () => {
    const text = `${'x'.repeat(answerLimitBytes - 1)}ok`;
    assert.equal(await contains(inPieces(text, []), 'ok'), false);
    assert.equal(await contains(inPieces(text, [answerLimitBytes]), 'ok'), false);
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1_000, 'x');
      })(),
    );
    assert.equal(await contains(endless, 'ok'), false);
    assert.equal(endless.destroyed, true);
  });
});
