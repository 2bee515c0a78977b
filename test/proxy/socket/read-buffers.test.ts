import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  largerReadBuffer,
  returnReadBuffer,
  takeReadBuffer,
} from '../../../lib/proxy/socket/read-buffers.ts';

/** The sizes that a stream goes through while every read fills its buffer. */
function sizes(): number[] {
  const found = [takeReadBuffer()];
  for (;;) {
    const larger = largerReadBuffer(found.at(-1)!);
    if (larger === found.at(-1)) return found.map(({ length }) => length);
    found.push(larger);
  }
}

describe('read buffers', () => {
  it('begin small and grow to where nothing is gained any more', () => {
    assert.deepEqual(sizes(), [4_096, 16_384, 65_536, 262_144]);
  });

  it('are never handed to two streams at once', () => {
    const taken = Array.from({ length: 100 }, takeReadBuffer);
    assert.equal(new Set(taken.map(({ buffer }) => buffer)).size, 100);
  });

  it('serve again once they are returned', () => {
    const buffer = takeReadBuffer();
    returnReadBuffer(buffer);
    assert.equal(takeReadBuffer(), buffer);
    assert.notEqual(takeReadBuffer(), buffer);
  });

  it('are kept when small only, and no more than a burst needs', () => {
    const larger = largerReadBuffer(takeReadBuffer());
    returnReadBuffer(larger);
    assert.equal(takeReadBuffer().length, 4_096);
    const many = Array.from({ length: 1_100 }, () => takeReadBuffer());
    for (const buffer of many) returnReadBuffer(buffer);
    const again = new Set(Array.from({ length: 1_100 }, () => takeReadBuffer()));
    assert.equal(many.filter((buffer) => again.has(buffer)).length, 1_024);
  });
});
