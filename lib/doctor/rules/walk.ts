/**
 * What becomes of a packet in a chain, as far as it can be told from the rules alone. Where a rule may or may not
 * match, both ways are followed.
 */
import { BlockList } from 'node:net';
import type { BaseChain, Chain, Ending, Rule, Test } from './rule.ts';

/** A packet to be followed; what is left out may be anything. */
export interface Packet {
  readonly family: 4 | 6;
  /** A number. */
  readonly protocol: number;
  readonly source?: string;
  readonly destination?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** The interfaces that it comes in and goes out by. */
  readonly in?: string;
  readonly out?: string;
  /**
   * What connection tracking says of it: nothing of what is rewritten, `new` of a client of a socket, `invalid` of an
   * answer to what it was not told of.
   */
  readonly state: 'new' | 'untracked' | 'invalid';
  /** Whether its destination is an address of this machine. */
  readonly local?: boolean;
}

/** One way that a packet may end in a chain. */
export interface Fate {
  readonly ending: Ending;
  /** The rule that ends it; undefined for the policy of the chain. */
  readonly rule: Rule | undefined;
}

/** Chains that lead into each other: as deep as the kernel lets them. */
const deepest = 16;

/** Every way that a packet may end in a base chain: the first ones first, one where all is certain. */
export function fates(chain: BaseChain, packet: Packet): readonly Fate[] {
  if (chain.family !== undefined && chain.family !== packet.family) return [];
  const { found, goesOn } = walk(chain, chain.others, packet, 0);
  return goesOn ? [...found, { ending: chain.policy, rule: undefined }] : found;
}

interface Outcome {
  readonly found: readonly Fate[];
  /** Whether a packet may come out at the end of the chain. */
  readonly goesOn: boolean;
}

function walk(chain: Chain, others: BaseChain['others'], packet: Packet, depth: number): Outcome {
  const found: Fate[] = [];
  for (const rule of chain.rules) {
    const matches = answer(rule, packet);
    if (matches === 'no') continue;
    const certain = matches === 'yes';
    const { action } = rule;
    if (action.kind === 'none') continue;
    if (action.kind === 'return') {
      if (certain) return { found, goesOn: true };
    } else if (action.kind === 'jump' || action.kind === 'goto') {
      const next = depth < deepest ? others.get(action.chain) : undefined;
      const outcome = next === undefined ? nothing : walk(next, others, packet, depth + 1);
      found.push(...outcome.found);
      if (certain && (action.kind === 'goto' || !outcome.goesOn)) return { found, goesOn: outcome.goesOn };
    } else {
      found.push({ ending: action.kind, rule });
      if (certain) return { found, goesOn: false };
    }
  }
  return { found, goesOn: true };
}

const nothing: Outcome = { found: [], goesOn: true };

type Answer = 'yes' | 'no' | 'maybe';

function answer({ tests, obscure }: Rule, packet: Packet): Answer {
  let all: Answer = obscure ? 'maybe' : 'yes';
  for (const test of tests) {
    const one = ask(test, packet);
    if (one === undefined) all = 'maybe';
    else if (one === test.not) return 'no';
  }
  return all;
}

/** Whether the packet has what the test is about; undefined if that is not known of it. */
function ask(test: Test, packet: Packet): boolean | undefined {
  switch (test.of) {
    case 'family':
      return test.family === packet.family;
    case 'source':
    case 'destination': {
      const address = packet[test.of];
      if (test.subnets.every(({ bits }) => bits === 0)) return true;
      return address === undefined ? undefined : isWithin(address, packet.family, test.subnets);
    }
    case 'protocol':
      return test.protocols.includes(packet.protocol);
    case 'source-port':
      return isAmong(packet.sourcePort, test.ranges);
    case 'destination-port':
      return isAmong(packet.destinationPort, test.ranges);
    case 'in':
    case 'out': {
      const name = packet[test.of];
      return name === undefined ? undefined : test.names.some((pattern) => isCalled(name, pattern));
    }
    case 'state':
      return test.states.includes(packet.state);
    case 'local':
      return packet.local;
    case 'tracked':
      return packet.state === 'new';
  }
}

function isWithin(
  address: string,
  family: 4 | 6,
  subnets: readonly { address: string; bits: number }[],
): boolean {
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  for (const { address: network, bits } of subnets) {
    if (network.includes(':') === (family === 6)) list.addSubnet(network, bits, kind);
  }
  return list.check(address, kind);
}

function isAmong(
  port: number | undefined,
  ranges: readonly (readonly [number, number])[],
): boolean | undefined {
  return port === undefined ? undefined : ranges.some(([first, last]) => port >= first && port <= last);
}

function isCalled(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
