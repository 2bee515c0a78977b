/** The tables and keys that other members, other versions and other machines rely on, fixed by a twin in Python. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type FlowTuple, flowKeyLength, writeFlowKey, writeSourceKey } from '../../lib/hash/flow-key.ts';
import { buildMaglev, defaultTableSize, slotOf } from '../../lib/hash/maglev.ts';
import { SipHash } from '../../lib/hash/siphash.ts';
import { missing, toolPath } from '../support/tools.ts';

interface Golden {
  readonly tables: readonly {
    readonly seed: string;
    readonly size: number;
    readonly names: readonly string[];
    readonly weights: readonly number[];
    readonly count: number;
    readonly first: readonly number[];
    readonly sha256: string;
  }[];
  readonly flows: readonly {
    readonly seed: string;
    readonly flow: FlowTuple;
    readonly key: string;
    readonly hash: string;
    readonly slot: number;
    readonly sourceHash: string;
    readonly sourceSlot: number;
  }[];
}

function parse(text: string): Golden {
  return JSON.parse(text);
}

const golden = parse(readFileSync(new URL('maglev.golden.json', import.meta.url), 'utf8'));

describe('the golden vectors', () => {
  it('are what the twin computes', { skip: missing('python3') }, () => {
    const twin = fileURLToPath(new URL('maglev_twin.py', import.meta.url));
    const printed = execFileSync(toolPath('python3'), ['-B', twin], { encoding: 'utf8' });
    assert.deepEqual(parse(printed), golden);
  });

  assert.equal(golden.tables.length, 10);
  for (const { seed, size, names, weights, count, first, sha256 } of golden.tables) {
    it(`hold for ${count} × ${names.join(' ')}, weights ${weights}, ${size} slots, seed …${seed.slice(-2)}`, () => {
      const backends = Array.from({ length: count }, (_, i) => ({
        name: names[i % names.length]!.replace('#', String(i)),
        weight: weights[i % weights.length]!,
      }));
      const table = buildMaglev(backends, new SipHash(seed), size);
      assert.deepEqual(Array.from(table.subarray(0, 16)), first);
      const bytes = Buffer.alloc(2 * size);
      table.forEach((index, slot) => {
        bytes.writeUInt16LE(index, 2 * slot);
      });
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256);
    });
  }

  assert.equal(golden.flows.length, 7);
  for (const { seed, flow, key, hash, slot, sourceHash, sourceSlot } of golden.flows) {
    it(`hold for ${flow.protocol} from ${flow.clientAddress} to ${flow.vipAddress}, seed …${seed.slice(-2)}`, () => {
      const sipHash = new SipHash(seed);
      const bytes = new Uint8Array(flowKeyLength).fill(0xff);
      const hashed = (length: number): [string, number] => {
        sipHash.hash(bytes, 0, length);
        const hex = [sipHash.hi, sipHash.lo].map((half) => half.toString(16).padStart(8, '0')).join('');
        return [hex, slotOf(sipHash.lo, sipHash.hi, defaultTableSize)];
      };

      assert.deepEqual(hashed(writeFlowKey(flow, bytes)), [hash, slot]);
      assert.equal(Buffer.from(bytes).toString('hex'), key);
      assert.deepEqual(hashed(writeSourceKey(flow, bytes)), [sourceHash, sourceSlot]);
    });
  }
});
