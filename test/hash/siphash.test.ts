import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SipHash } from '../../lib/hash/siphash.ts';

const key = '000102030405060708090a0b0c0d0e0f';

/** Of the reference implementation: the hash of 00, 01, … under the key above, little-endian, by length from 0. */
const reference = `
  310e0edd47db6f72 fd67dc93c539f874 5a4fa9d909806c0d 2d7efbd796666785 b7877127e09427cf
  8da699cd64557618 cee3fe586e46c9cb 37d1018bf50002ab 6224939a79f5f593 b0e4a90bdf82009e
  f3b9dd94c5bb5d7a a7ad6b22462fb3f4 fbe50e86bc8f1e75 903d84c02756ea14 eef27a8e90ca23f7
  e545be4961ca29a1 db9bc2577fcc2a3f 9447be2cf5e99a69 9cd38d96f0b3c14b bd6179a71dc96dbb
  98eea21af25cd6be c7673b2eb0cbf2d0 883ea3e395675393 c8ce5ccd8c030ca8 94af49f6c650adb8
  eab8858ade92e1bc f315bb5bb835d817 adcf6b0763612e2f a5c91da7acaa4dde 716595876650a2a6
  28ef495c53a387ad 42c341d8fa92d832 ce7cf2722f512771 e37859f94623f3a7 381205bb1ab0e012
  ae97a10fd434e015 b4a31508beff4d31 81396229f0907902 4d0cf49ee5d4dcca 5c73336a76d8bf9a
  d0a704536ba93e0e 925958fcd6420cad a915c29bc8067318 952b79f3bc0aa6d4 f21df2e41d4535f9
  87577519048f53a9 10a56cf5dfcd9adb eb75095ccd986cd0 51a9cb9ecba312e6 96afadfc2ce666c7
  72fe52975a4364ee 5a1645b276d592a1 b274cb8ebf87870a 6f9bb4203de7b381 eaecb2a30b22a87f
  9924a43cc1315724 bd838d3aafbf8db7 0b1a2a3265d51aea 135079a3231ce660 932b2846e4d70666
  e1915f5cb1eca46c f325965ca16d629f 575ff28e60381be5 724506eb4c328a95
`
  .trim()
  .split(/\s+/);

/** As the reference prints it: the eight bytes of the result, the lowest first. */
function digest(hash: SipHash): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(hash.lo, 0);
  bytes.writeUInt32LE(hash.hi, 4);
  return bytes.toString('hex');
}

describe('SipHash-2-4', () => {
  const counting = Uint8Array.from({ length: 64 }, (_, i) => i);

  it('gives the 64 vectors of the reference', () => {
    const hash = new SipHash(key);
    const digests = reference.map((_, length) => {
      hash.hash(counting, 0, length);
      return digest(hash);
    });
    assert.equal(reference.length, 64);
    assert.deepEqual(digests, reference);
  });

  it('gives the example of the paper (appendix A)', () => {
    const hash = new SipHash(key);
    hash.hash(counting, 0, 15);
    assert.deepEqual([hash.hi, hash.lo], [0xa129ca61, 0x49be45e5]);
  });

  it('reads the bytes from the offset on and nothing around them', () => {
    const hash = new SipHash(key);
    for (const length of [0, 1, 7, 8, 9, 15, 16, 37]) {
      const poisoned = new Uint8Array(64).fill(0xff);
      poisoned.set(counting.subarray(0, length), 5);
      hash.hash(poisoned, 5, length);
      assert.equal(digest(hash), reference[length]);
    }
  });

  it('takes the low byte of the length, as messages of 256 bytes and more have one', () => {
    const hash = new SipHash(key);
    const seen = new Set<string>();
    for (const length of [0, 256, 257, 512]) {
      hash.hash(new Uint8Array(length), 0, length);
      seen.add(digest(hash));
    }
    assert.equal(seen.size, 4);
  });

  it('depends on every digit of the key', () => {
    const digests = Array.from({ length: 32 }, (_, i) => {
      const hash = new SipHash(`${key.slice(0, i)}${key[i] === 'f' ? 'e' : 'f'}${key.slice(i + 1)}`);
      hash.hash(counting, 0, 8);
      return digest(hash);
    });
    assert.equal(new Set([...digests, reference[8]]).size, 33);
  });

  it('refuses a key that is not 32 hexadecimal digits', () => {
    for (const wrong of ['', key.slice(1), `${key}0`, `g${key.slice(1)}`]) {
      assert.throws(() => new SipHash(wrong), RangeError);
    }
  });
});
