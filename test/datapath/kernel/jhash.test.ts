import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jhash, jhash3, scaleHash } from '../../../lib/datapath/kernel/jhash.ts';

describe("the kernel's hash", () => {
  it('hashes three words as it hashes their bytes', () => {
    for (const [one, two, three] of [
      [0, 0, 0],
      [1, 2, 3],
      [0xffffffff, 0x80000000, 0x12345678],
    ] as const) {
      const bytes = new Uint8Array(12);
      const view = new DataView(bytes.buffer);
      [one, two, three].forEach((word, index) => {
        view.setUint32(index * 4, word, true);
      });
      // The length is part of both beginnings.
      assert.equal(jhash(bytes, 7), jhash3(one, two, three, 7));
    }
  });

  it('answers with its beginning for no bytes', () => {
    assert.equal(jhash(new Uint8Array(0), 0), 0xdeadbeef);
    assert.equal(jhash(new Uint8Array(0), 1), 0xdeadbef0);
  });

  it('depends on every byte, whatever their number', () => {
    for (let length = 1; length <= 40; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => index);
      const hashes = new Set([jhash(bytes, 0)]);
      for (let at = 0; at < length; at++) {
        const other = bytes.slice();
        other[at]! ^= 1;
        hashes.add(jhash(other, 0));
      }
      assert.equal(hashes.size, length + 1);
    }
  });

  it('means one of so many', () => {
    assert.deepEqual(
      [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].map((hash) => scaleHash(hash, 2)),
      [0, 0, 1, 1],
    );
    assert.equal(scaleHash(2 ** 32 - 1, 1), 0);
  });
});
