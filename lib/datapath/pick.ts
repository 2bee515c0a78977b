/**
 * The policies on the packet path: the very ones that the proxy has, over endpoint numbers instead of sockets. The
 * load of an endpoint is the flows that the worker itself has there.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Candidate } from '../balance/candidate.ts';
import { createPolicy, type PolicyOptions } from '../balance/create-policy.ts';
import { Maglev } from '../balance/maglev.ts';
import type { Policy } from '../balance/policy.ts';
import { flowKeyLength, flowKeyOffset } from '../hash/flow-key.ts';
import { SipHash } from '../hash/siphash.ts';
import type { BalanceName } from '../model/spec.ts';
import { destinationAt, type Packet, sourceAt } from '../packet/packet.ts';
import type { Choice, Member } from './publication.ts';

class Endpoint implements Candidate {
  readonly number: number;
  readonly name: string;
  readonly weight: number;
  readonly #flows: Uint32Array;

  /** `flows` holds the number of flows now by endpoint number. */
  constructor({ endpoint, name, weight }: Member, flows: Uint32Array) {
    this.number = endpoint;
    this.name = name;
    this.weight = weight;
    this.#flows = flows;
  }

  get live(): number {
    return this.#flows[this.number]!;
  }
}

interface Chooser {
  readonly choice: Choice;
  readonly policy: Policy<Packet, Endpoint>;
  /** Says the same of a packet whoever asks, and when; the policy itself if it does. */
  readonly hash: Policy<Packet, Endpoint> | undefined;
}

/** `slot` and `table`, of indices among the members, where a hash places flows. */
export interface Explanation {
  readonly choice: Choice;
  readonly slot?: number;
  readonly table?: Uint16Array;
}

const nobody: readonly Endpoint[] = [];

export class Picker {
  readonly #options: PolicyOptions;
  readonly #flowsOfEndpoint: Uint32Array;
  /** By VIP number. */
  #choosers: readonly (Chooser | undefined)[] = [];

  constructor(options: PolicyOptions, flowsOfEndpoint: Uint32Array) {
    this.#options = options;
    this.#flowsOfEndpoint = flowsOfEndpoint;
  }

  /** Adopts who takes new flows. A policy whose members are the same goes on where it was. */
  use(choices: readonly Choice[]): void {
    const choosers: Chooser[] = [];
    for (const choice of choices) {
      const known = this.#choosers[choice.vip];
      choosers[choice.vip] =
        known !== undefined && isSameChoice(known.choice, choice) ? known : this.#chooser(choice);
    }
    this.#choosers = choosers;
  }

  /** The endpoint that takes the new flow which `packet` begins at a VIP; 0 if none does. */
  pick(vip: number, packet: Packet): number {
    const chooser = this.#choosers[vip];
    if (chooser === undefined || chooser.choice.refuse) return 0;
    return chooser.policy.pick(packet, nobody, 0)?.number ?? 0;
  }

  /** The endpoint that a packet of a flow goes to of which nothing is known; 0 if there is none. Takes a table. */
  place(vip: number, packet: Packet): number {
    return this.#choosers[vip]?.hash?.pick(packet, nobody, 0)?.number ?? 0;
  }

  /** Who may take the new flow which `packet` begins at a VIP, and the slot of the table that says so, if one does. */
  explain(vip: number, packet: Packet): Explanation | undefined {
    const chooser = this.#choosers[vip];
    if (chooser === undefined) return undefined;
    const { choice, policy } = chooser;
    if (!(policy instanceof Maglev)) return { choice };
    return { choice, slot: policy.slotOf(packet), table: policy.table };
  }

  #chooser(choice: Choice): Chooser {
    const policy = this.#policy(choice.balance);
    const members = choice.members.map((member) => new Endpoint(member, this.#flowsOfEndpoint));
    const { table } = choice;
    if (table === undefined) {
      policy.rebuild(members);
      return { choice, policy, hash: undefined };
    }
    const hash = policy instanceof Maglev ? policy : this.#byHash();
    hash.adopt(members, table);
    if (hash !== policy) policy.rebuild(members);
    return { choice, policy, hash };
  }

  #byHash(): Maglev<Packet, Endpoint> {
    return new Maglev(new SipHash(this.#options.hashSeed), writePacketKey);
  }

  #policy(balance: BalanceName): Policy<Packet, Endpoint> {
    return createPolicy<Packet, Endpoint>(balance, this.#options, {
      flow: writePacketKey,
      source: writePacketSourceKey,
    });
  }
}

function isSameChoice(one: Choice, other: Choice): boolean {
  const { balance, refuse, members } = one;
  return balance === other.balance && refuse === other.refuse && isDeepStrictEqual(members, other.members);
}

/** The same bytes that a socket's flow has: see hash/flow-key.ts. */
export function writePacketKey(packet: Packet, into: Uint8Array): number {
  writeWords(packet.words, sourceAt, into, flowKeyOffset.clientAddress);
  writeWords(packet.words, destinationAt, into, flowKeyOffset.vipAddress);
  writePort(packet.sourcePort, into, flowKeyOffset.clientPort);
  writePort(packet.destinationPort, into, flowKeyOffset.vipPort);
  into[flowKeyOffset.protocol] = packet.protocol;
  return flowKeyLength;
}

/** The client's address alone. */
export function writePacketSourceKey(packet: Packet, into: Uint8Array): number {
  writeWords(packet.words, sourceAt, into, flowKeyOffset.clientAddress);
  return flowKeyOffset.vipAddress;
}

function writeWords(words: Int32Array, at: number, into: Uint8Array, offset: number): void {
  for (let index = 0; index < 4; index++) {
    const word = words[at + index]!;
    writePort(word >>> 16, into, offset + index * 4);
    writePort(word, into, offset + index * 4 + 2);
  }
}

function writePort(port: number, into: Uint8Array, offset: number): void {
  into[offset] = port >>> 8;
  into[offset + 1] = port;
}
