import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearest } from '../../lib/config/nearest.ts';

describe('the nearest known word', () => {
  const known = ['name', 'listen', 'backends', 'idle-timeout', 'half-close-timeout'];
  for (const [word, meant] of [
    ['listen', 'listen'],
    ['lisen', 'listen'],
    ['listne', 'listen'],
    ['listens', 'listen'],
    ['backend', 'backends'],
    ['idle_timeout', 'idle-timeout'],
    ['nam', 'name'],
    ['xy', undefined],
    ['weights', undefined],
    ['', undefined],
  ] as const) {
    it(`to ${JSON.stringify(word)} is ${meant ?? 'none'}`, () => assert.equal(nearest(word, known), meant));
  }
});
