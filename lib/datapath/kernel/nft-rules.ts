/**
 * The selectors in the language of nft: one table of sluice's own for both families, put in place of the one that was
 * there in a single transaction.
 *
 *   prerouting, output (raw) ─▶ select ─┬─ answers, and all if there is one worker ─▶ worker-0 …
 *                                       └▶ spread-…: by jhash over the client ──────▶ worker-0 …
 *   worker-k: notrack, queue firstQueue + k
 *
 * What comes in by `lo` has been in output before and passes. No mark is used.
 */
import { Protocol } from '../../packet/packet.ts';
import { familyOf, type PortRange, type RulesDescription, wordsOf } from './description.ts';
import { rulePrefix } from './rule-names.ts';
import type { ErrorSelector, Selector } from './selectors.ts';

/** The script that brings about a description, whatever stood there before. */
export function nftRules(holder: string, description: RulesDescription): string {
  const workers = Array.from({ length: description.workers }, (_, worker) => worker);
  const several = description.workers > 1;
  const bypass = description.onFailure === 'bypass' ? ' bypass' : '';
  const targets = workers.map((worker) => `${worker} : goto worker-${worker}`).join(', ');
  const chains = [
    ...workers.map((worker) =>
      chain(`worker-${worker}`, ['notrack', `queue num ${description.firstQueue + worker}${bypass}`]),
    ),
    ...(several
      ? Object.entries(clients).map(([name, client]) =>
          chain(name, [
            `jhash ${client} mod ${description.workers} seed 0x${description.spreadSeed.toString(16)} vmap { ${targets} }`,
            'goto worker-0',
          ]),
        )
      : []),
    chain(
      'select',
      description.selectors.map((selector) => `${match(selector)} goto ${chainOf(selector)}`),
    ),
    chain('prerouting', [
      'type filter hook prerouting priority raw; policy accept;',
      ...(several ? reassembly : []),
      'iifname "lo" return',
      'jump select',
    ]),
    chain('output', ['type filter hook output priority raw; policy accept;', 'jump select']),
  ];
  return `${nftRemoval(holder)}table inet ${rulePrefix(holder)} {\n${chains.join('')}}\n`;
}

/** The script after which nothing is left, whatever stood there before. */
export function nftRemoval(holder: string): string {
  const table = `table inet ${rulePrefix(holder)}`;
  return `${table} {\n}\ndelete ${table}\n`;
}

/** A chain of a table. */
export function chain(name: string, lines: readonly string[]): string {
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`;
}

/**
 * Without ports a fragment would come to another worker than the rest of its flow. The kernel puts datagrams together
 * before this hook (nf_defrag) as long as a rule with `tproxy` exists, whether or not it ever matches.
 */
export const reassembly = [
  'ip saddr 255.255.255.255 meta l4proto tcp tproxy ip to :1',
  'ip6 saddr ff02::1 meta l4proto tcp tproxy ip6 to :1',
];

/**
 * Address and port of the client, by the name of the chain that hashes them; in an ICMP error they are those of the
 * quoted packet. `@th` counts bits from behind the IP header:
 *
 *   │ type, code, sum │ 4 bytes │ quoted IPv4: … 72: protocol, 96: source, 128: destination │ ports │
 *                               │ quoted IPv6: … 48: protocol, 64: source, 192: destination │ ports │
 *     0                           64                                                          224, 384
 */
const clients: Readonly<Record<string, string>> = {
  'spread-source-client-4': 'ip saddr . th sport',
  'spread-source-client-6': 'ip6 saddr . th sport',
  'spread-destination-client-4': 'ip daddr . th dport',
  'spread-destination-client-6': 'ip6 daddr . th dport',
  'spread-quoted-source-client-4': '@th,160,32 . @th,224,16',
  'spread-quoted-source-client-6': '@th,128,128 . @th,384,16',
  'spread-quoted-destination-client-4': '@th,192,32 . @th,240,16',
  'spread-quoted-destination-client-6': '@th,256,128 . @th,400,16',
};

function chainOf({ kind, steer, family }: Selector): string {
  if (typeof steer === 'number') return `worker-${steer}`;
  return `spread-${kind === 'error' ? 'quoted-' : ''}${steer}-${family}`;
}

function match(selector: Selector): string {
  const { family, address } = selector;
  const ip = family === 4 ? 'ip' : 'ip6';
  const icmp = family === 4 ? 'icmp' : 'icmpv6';
  switch (selector.kind) {
    case 'ports': {
      const { end, protocol } = selector;
      return `${ip} ${end[0]}addr ${address} ${protocol} ${end[0]}port ${range(selector.ports)}`;
    }
    case 'echo':
      return `${ip} daddr ${address} ${icmp} type echo-request`;
    case 'error':
      return selector.quotedEnd === 'source'
        ? `${ip} daddr ${address} ${quoted(selector)}`
        : quoted(selector);
    case 'tunnel-error':
      return `${ip} daddr ${address} ${errorOver(family, selector.protocol)}`;
    case 'fragments': {
      const protocol = selector.protocol === 'icmp' && family === 6 ? 'ipv6-icmp' : selector.protocol;
      // More to come, or an offset: RFC 791 §3.1. In IPv6 whatever has a fragment header.
      const fragment = family === 4 ? 'ip frag-off & 0x3fff != 0' : 'exthdr frag exists';
      return `${ip} ${selector.end[0]}addr ${address} meta l4proto ${protocol} ${fragment}`;
    }
  }
}

function quoted({ family, quotedEnd, address, protocol, ports }: ErrorSelector): string {
  const source = quotedEnd === 'source';
  const [destinationAt, portAt] =
    family === 4 ? ['192,32', source ? 224 : 240] : ['256,128', source ? 384 : 400];
  return [
    errorOver(family, Protocol[protocol]),
    ...(source ? [] : [`@th,${destinationAt} ${integer(address)}`]),
    `@th,${portAt},16 ${range(ports)}`,
  ].join(' ');
}

/** Packets quoted with IPv4 options or IPv6 extension headers go by. */
function errorOver(family: 4 | 6, protocol: number): string {
  return family === 4
    ? // RFC 792.
      `icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45 @th,136,8 ${protocol}`
    : // RFC 4443 §3.
      `icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } @th,112,8 ${protocol}`;
}

function range([first, last]: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** An address as the number that its bytes are. */
function integer(address: string): string {
  const words = familyOf(address) === 4 ? wordsOf(address).slice(3) : wordsOf(address);
  return `0x${words.map((word) => word.toString(16).padStart(8, '0')).join('')}`;
}
