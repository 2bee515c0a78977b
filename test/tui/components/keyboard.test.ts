import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Key } from 'ink';
import { keysOf } from '../../../lib/tui/components/keyboard.tsx';

const plain = Object.fromEntries(
  [
    ...['upArrow', 'downArrow', 'leftArrow', 'rightArrow', 'pageDown', 'pageUp', 'home', 'end'],
    ...['return', 'escape', 'ctrl', 'shift', 'tab', 'backspace', 'delete', 'meta'],
  ].map((name) => [name, false]),
) as unknown as Key;

describe('what the terminal says', () => {
  it('is one key where it has a name', () => {
    assert.deepEqual(keysOf('', { ...plain, upArrow: true }), [{ name: 'up' }]);
    assert.deepEqual(keysOf('\r', { ...plain, return: true }), [{ name: 'enter' }]);
    assert.deepEqual(keysOf('\t', { ...plain, tab: true, shift: true }), [{ name: 'shift-tab' }]);
    assert.deepEqual(keysOf('c', { ...plain, ctrl: true }), [{ name: 'ctrl-c' }]);
  });

  it('is as many keys as were pressed before it was read', () => {
    assert.deepEqual(keysOf(':log\r2\x7f', plain), [
      ...[':', 'l', 'o', 'g'].map((text) => ({ name: 'text', text })),
      { name: 'enter' },
      { name: 'text', text: '2' },
      { name: 'backspace' },
    ]);
    assert.deepEqual(keysOf('\u0003', plain), [{ name: 'ctrl-c' }]);
  });

  it('is an escape and what came so soon after it that it looks like a modifier', () => {
    assert.deepEqual(keysOf('2', { ...plain, meta: true }), [
      { name: 'escape' },
      { name: 'text', text: '2' },
    ]);
  });

  it('is nothing where nobody knows it', () => {
    assert.deepEqual(keysOf('', plain), []);
  });
});
