/** What the tests of this folder share: backends by weight, flows by number, and randomness that repeats. */
import assert from 'node:assert/strict';
import { Backend } from '../../lib/balance/backend.ts';
import { createPolicy } from '../../lib/balance/create-policy.ts';
import type { Policy } from '../../lib/balance/policy.ts';
import { BackendPool, type PoolOptions } from '../../lib/balance/pool.ts';
import { type FlowTuple, writeFlowKey, writeSourceKey } from '../../lib/hash/flow-key.ts';
import type { Random } from '../../lib/model/clock.ts';
import type { BackendSpec, BalanceName } from '../../lib/model/spec.ts';

export const hashSeed = '000102030405060708090a0b0c0d0e0f';

export function spec(name: string, weight = 1, port = 80): BackendSpec {
  return { name, host: `${name}.internal`, port, weight };
}

/** Backends named a, b, c, … with these weights. */
export function backendsOf(...weights: readonly number[]): Backend[] {
  return weights.map((weight, i) => new Backend(spec(String.fromCharCode(97 + i), weight), 0));
}

/** A flow from a client of its own for each number below 64,512. */
export function flow(number: number): FlowTuple {
  return {
    protocol: 'tcp',
    clientAddress: `10.0.${number >> 8}.${number & 255}`,
    clientPort: 1024 + number,
    vipAddress: '198.51.100.1',
    vipPort: 80,
  };
}

/** Marsaglia's xorshift32: the same numbers in each run. */
export function repeatable(): Random {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function policyOf(name: BalanceName, candidates: readonly Backend[]): Policy<FlowTuple, Backend> {
  const policy = createPolicy<FlowTuple, Backend>(
    name,
    { hashSeed, random: repeatable() },
    { flow: writeFlowKey, source: writeSourceKey },
  );
  policy.rebuild(candidates);
  return policy;
}

/** Places `count` flows that never end. */
export function place(policy: Policy<FlowTuple, Backend>, count: number): void {
  for (let number = 0; number < count; number++) {
    const backend = policy.pick(flow(number), [], 0);
    if (backend !== null) backend.live++;
  }
}

export const poolOptions: PoolOptions = {
  balance: 'round-robin',
  hashSeed,
  random: repeatable(),
  whenAllDown: 'reject',
  noticeMs: 0,
  maxConnections: 0,
};

export function poolOf(specs: readonly BackendSpec[], overrides: Partial<PoolOptions> = {}): BackendPool {
  return new BackendPool({ ...poolOptions, ...overrides }, specs, 0);
}

export function named(pool: BackendPool, name: string): Backend {
  const backend = pool.backends.find((candidate) => candidate.name === name);
  assert.ok(backend, `no backend ${name}`);
  return backend;
}

/** Who is picked in the next `count` picks, by name. */
export function picks(pool: BackendPool, count: number, tried: readonly Backend[] = []): string {
  return Array.from({ length: count }, (_, number) => {
    const picked = pool.pick(flow(number), tried);
    return typeof picked === 'string' ? picked : picked.name;
  }).join(' ');
}
