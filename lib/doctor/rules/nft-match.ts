/**
 * One question of a rule of nft: `{"op": "==", "left": EXPRESSION, "right": VALUES}`. What is not understood of it is
 * said to be so; what follows from it all the same (`icmpv6 type …` asks for the protocol too) is kept.
 */
import type { PortRange } from '../../datapath/kernel/description.ts';
import { protocolNumber } from './protocols.ts';
import type { Subnet, Test } from './rule.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface NftMatch {
  readonly op: string;
  readonly left: Json;
  readonly right: unknown;
}

/** The elements of a named set, by `@NAME`; undefined for one that is not known. */
export type NamedSets = (name: string) => readonly unknown[] | undefined;

export interface Asked {
  readonly tests: readonly Test[];
  readonly obscure: boolean;
}

const unclear: Asked = { tests: [], obscure: true };

/** What a match asks of a packet. */
export function readMatch({ op, left, right }: NftMatch, sets: NamedSets): Asked {
  const not = op === '!=';
  const values = ['==', '!=', 'in'].includes(op) ? valuesOf(right, sets) : undefined;
  const [[kind, about] = ['', {}]] = Object.entries(left);
  const { key, protocol, field, result, flags } = about as Json;
  switch (kind) {
    case 'meta':
      return values === undefined ? unclear : readMeta(String(key), values, not);
    case 'ct':
      if (key === 'state' && values !== undefined)
        return sure({ of: 'state', states: values.map(String), not });
      return { tests: [{ of: 'tracked', not: false }], obscure: true };
    case 'fib':
      return result === 'type' && String(flags) === 'daddr' && String(values) === 'local'
        ? sure({ of: 'local', not })
        : unclear;
    case 'payload':
      return readPayload(String(protocol), String(field), values, not);
    default:
      return unclear;
  }
}

function sure(...tests: readonly Test[]): Asked {
  return { tests, obscure: false };
}

function readMeta(key: string, values: readonly unknown[], not: boolean): Asked {
  switch (key) {
    case 'iif':
    case 'iifname':
      return sure({ of: 'in', names: values.map(String), not });
    case 'oif':
    case 'oifname':
      return sure({ of: 'out', names: values.map(String), not });
    case 'l4proto':
      return readProtocols(values, not);
    case 'nfproto':
      return values.length === 1
        ? sure({ of: 'family', family: values[0] === 'ipv4' ? 4 : 6, not })
        : unclear;
    default:
      return unclear;
  }
}

function readPayload(
  protocol: string,
  field: string,
  values: readonly unknown[] | undefined,
  not: boolean,
): Asked {
  const implied = impliedBy(protocol);
  const asked = values === undefined ? unclear : readField(field, values, not);
  return { tests: [...implied, ...asked.tests], obscure: asked.obscure };
}

/** A field of a header is there only if the header is. */
function impliedBy(protocol: string): readonly Test[] {
  if (protocol === 'ip' || protocol === 'ip6') {
    return [{ of: 'family', family: protocol === 'ip' ? 4 : 6, not: false }];
  }
  const number = protocolNumber(protocol);
  return number === undefined ? [] : [{ of: 'protocol', protocols: [number], not: false }];
}

function readField(field: string, values: readonly unknown[], not: boolean): Asked {
  const end = field.startsWith('s') ? 'source' : 'destination';
  switch (field) {
    case 'saddr':
    case 'daddr': {
      const subnets = values.map(subnetOf);
      return subnets.every((each) => each !== undefined) ? sure({ of: end, subnets, not }) : unclear;
    }
    case 'sport':
    case 'dport': {
      const ranges = values.map(rangeOf);
      return ranges.every((each) => each !== undefined) ? sure({ of: `${end}-port`, ranges, not }) : unclear;
    }
    case 'protocol':
    case 'nexthdr':
      return readProtocols(values, not);
    default:
      return unclear;
  }
}

function readProtocols(values: readonly unknown[], not: boolean): Asked {
  const protocols = values.map((value) => protocolNumber(String(value)));
  return protocols.every((each) => each !== undefined) ? sure({ of: 'protocol', protocols, not }) : unclear;
}

/** The elements of the right side; undefined if they are not known. */
function valuesOf(right: unknown, sets: NamedSets): readonly unknown[] | undefined {
  if (Array.isArray(right)) return right;
  if (typeof right === 'string' && right.startsWith('@')) return sets(right.slice(1));
  const { set } = Object(right) as { readonly set?: unknown };
  if (set === undefined) return [right];
  return Array.isArray(set) ? set : [set];
}

function subnetOf(value: unknown): Subnet | undefined {
  if (typeof value === 'string') return { address: value, bits: value.includes(':') ? 128 : 32 };
  const { prefix } = value as { readonly prefix?: { readonly addr: string; readonly len: number } };
  return prefix && { address: prefix.addr, bits: prefix.len };
}

function rangeOf(value: unknown): PortRange | undefined {
  if (typeof value === 'number') return [value, value];
  return (value as { readonly range?: PortRange }).range;
}
