/** From the name of a policy in the configuration to the policy. */
import { writeFlowKey, writeSourceKey } from '../hash/flow-key.ts';
import { SipHash } from '../hash/siphash.ts';
import type { Random } from '../model/clock.ts';
import type { BalanceName } from '../model/spec.ts';
import { LeastConnections } from './least-connections.ts';
import { Maglev } from './maglev.ts';
import type { Policy } from './policy.ts';
import { WeightedRandom } from './random.ts';
import { RoundRobin } from './round-robin.ts';
import { TwoChoices } from './two-choices.ts';

export interface PolicyOptions {
  /** The key of all hashes, 32 hexadecimal digits. */
  readonly hashSeed: string;
  readonly random: Random;
}

/** A new policy without candidates. */
export function createPolicy(name: BalanceName, { hashSeed, random }: PolicyOptions): Policy {
  switch (name) {
    case 'maglev':
      return new Maglev(new SipHash(hashSeed), writeFlowKey);
    case 'source':
      return new Maglev(new SipHash(hashSeed), writeSourceKey);
    case 'round-robin':
      return new RoundRobin();
    case 'least-connections':
      return new LeastConnections();
    case 'two-choices':
      return new TwoChoices(random);
    case 'random':
      return new WeightedRandom(random);
  }
}
