/**
 * The packet filter of a machine in one form, whatever tool its rules came by: chains that hang in the hooks of the
 * kernel, and chains that these lead to. A rule asks some things that are understood here and, it may be, others that
 * are not: then whether it matches stays open.
 */
import type { PortRange } from '../../datapath/kernel/description.ts';

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** One question that a rule asks of a packet. With `not`, the opposite is asked. */
export type Test = { readonly not: boolean } & (
  | { readonly of: 'family'; readonly family: 4 | 6 }
  | { readonly of: 'source' | 'destination'; readonly subnets: readonly Subnet[] }
  | { readonly of: 'protocol'; readonly protocols: readonly number[] }
  | { readonly of: 'source-port' | 'destination-port'; readonly ranges: readonly PortRange[] }
  /** A name that ends in `*` stands for all that begin so. */
  | { readonly of: 'in' | 'out'; readonly names: readonly string[] }
  /** In lower case, as `established`. */
  | { readonly of: 'state'; readonly states: readonly string[] }
  /** The destination is an address of this machine. */
  | { readonly of: 'local' }
  /** The packet belongs to a connection that is tracked. */
  | { readonly of: 'tracked' }
);

export interface Subnet {
  readonly address: string;
  readonly bits: number;
}

/** `divert`: to an address that the rule names, or to a socket; `queue`: to a program. */
export type Ending = 'accept' | 'drop' | 'queue' | 'divert';

export type Action =
  | { readonly kind: Ending }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'return' }
  /** The packet goes on to the next rule. */
  | { readonly kind: 'none' };

export interface Rule {
  readonly tests: readonly Test[];
  /** It asks something that is not understood here. */
  readonly obscure: boolean;
  readonly action: Action;
  /** As its tool shows it, for people. */
  readonly text: string;
  /** The command that takes it away. */
  readonly removal: string;
}

export interface Chain {
  /** As its tool calls it: `FORWARD`. */
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** A chain that the kernel itself calls. */
export interface BaseChain extends Chain {
  /** For people, with its tool and its table: `iptables filter FORWARD`. */
  readonly title: string;
  readonly hook: Hook;
  /** The lower the earlier; raw is -300, mangle -150, dstnat -100, filter 0. */
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  /** The chains of its own table, by name. */
  readonly others: ReadonlyMap<string, Chain>;
  /** Of packets; undefined is both. */
  readonly family: 4 | 6 | undefined;
  /** The command that puts a rule that accepts `match` before all of its rules. */
  readonly acceptFirst: (match: Match) => string;
}

/** What a rule to be made asks: packets of one protocol, between ports where it has any. */
export interface Match {
  readonly family: 4 | 6;
  /** A number. */
  readonly protocol: number;
  readonly sources?: readonly string[];
  readonly destinations?: readonly string[];
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}
