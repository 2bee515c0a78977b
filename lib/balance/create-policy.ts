/** From the name of a policy in the configuration to the policy. */
import { SipHash } from '../hash/siphash.ts';
import type { Random } from '../model/clock.ts';
import type { BalanceName } from '../model/spec.ts';
import type { Candidate } from './candidate.ts';
import { LeastConnections } from './least-connections.ts';
import { type KeyWriter, Maglev } from './maglev.ts';
import type { Policy } from './policy.ts';
import { WeightedRandom } from './random.ts';
import { RoundRobin } from './round-robin.ts';
import { TwoChoices } from './two-choices.ts';

/** What is hashed of a flow by the policies with affinity. */
export interface KeyWriters<Flow> {
  readonly flow: KeyWriter<Flow>;
  readonly source: KeyWriter<Flow>;
}

export interface PolicyOptions {
  /** The key of all hashes, 32 hexadecimal digits. */
  readonly hashSeed: string;
  readonly random: Random;
}

/** A new policy without candidates. */
export function createPolicy<Flow, Member extends Candidate>(
  name: BalanceName,
  { hashSeed, random }: PolicyOptions,
  keys: KeyWriters<Flow>,
): Policy<Flow, Member> {
  switch (name) {
    case 'maglev':
      return new Maglev(new SipHash(hashSeed), keys.flow);
    case 'source':
      return new Maglev(new SipHash(hashSeed), keys.source);
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
