/**
 * The selectors in the language of iptables, for one family at a time.
 *
 *   raw     PREROUTING, OUTPUT ─▶ PREFIX ─┬─ answers, and all if there is one worker ──────────▶ PREFIX/0 …
 *                                         └▶ PREFIX/src, PREFIX/dst: mark by HMARK, by mark ───▶ PREFIX/0 …
 *   mangle  PREROUTING, OUTPUT ─▶ PREFIX: the mark is taken off again (several workers only)
 *   PREFIX/k: CT --notrack, NFQUEUE firstQueue + k
 *
 * What comes in by `lo` has been in OUTPUT before and passes. HMARK takes an ICMP error for the packet that it quotes.
 */
import { Protocol } from '../../packet/packet.ts';
import { type PortRange, type RulesDescription, wordsOf } from './description.ts';
import type { TableRules } from './iptables-restore.ts';
import { markBase, markMask, rulePrefix } from './rule-names.ts';
import type { ErrorSelector, Selector, Steer } from './selectors.ts';

/** The rules of one family, table by table, in chains that carry the name of `holder`; none if it has nothing to queue. */
export function iptablesRules(
  holder: string,
  description: RulesDescription,
  family: 4 | 6,
): readonly TableRules[] {
  const prefix = rulePrefix(holder);
  const selectors = description.selectors.filter((selector) => selector.family === family);
  if (selectors.length === 0) return [];
  const several = description.workers > 1;
  const raw: TableRules = {
    table: 'raw',
    jumps: [
      ...(several ? [`-A PREROUTING -j ${prefix}/whole`] : []),
      `-A PREROUTING ! -i lo -j ${prefix}`,
      `-A OUTPUT -j ${prefix}`,
    ],
    chains: [
      prefix,
      ...(several ? [`${prefix}/whole`, `${prefix}/src`, `${prefix}/dst`] : []),
      ...workers(description).map((worker) => `${prefix}/${worker}`),
    ],
    rules: [
      ...selectors.map((selector) => `-A ${prefix} ${match(selector)} -g ${chainOf(prefix, selector.steer)}`),
      ...(several ? [reassembly(prefix, family), ...spreading(prefix, description)] : []),
      ...workers(description).flatMap((worker) => queueing(`${prefix}/${worker}`, worker, description)),
    ],
  };
  return several ? [raw, unmarking(prefix)] : [raw];
}

function workers({ workers }: RulesDescription): number[] {
  return Array.from({ length: workers }, (_, worker) => worker);
}

function chainOf(prefix: string, steer: Steer): string {
  if (typeof steer === 'number') return `${prefix}/${steer}`;
  return steer === 'source-client' ? `${prefix}/src` : `${prefix}/dst`;
}

function queueing(chain: string, worker: number, { firstQueue, onFailure }: RulesDescription): string[] {
  const bypass = onFailure === 'bypass' ? ' --queue-bypass' : '';
  return [
    `-A ${chain} -j CT --notrack`,
    `-A ${chain} -j NFQUEUE --queue-num ${firstQueue + worker}${bypass}`,
  ];
}

/**
 * Without ports a fragment would come to another worker than the rest of its flow. The kernel puts datagrams together
 * before this table (nf_defrag) as long as a rule with the socket match exists, whether or not it ever matches.
 */
export function reassembly(prefix: string, family: 4 | 6): string {
  const never = family === 4 ? '255.255.255.255/32' : 'ff02::1/128';
  return `-A ${prefix}/whole -s ${never} -p tcp -m socket --nowildcard -j RETURN`;
}

function spreading(prefix: string, description: RulesDescription): string[] {
  const seed = hex(description.spreadSeed);
  return (['src', 'dst'] as const).flatMap((end) => [
    `-A ${prefix}/${end} -j HMARK --hmark-tuple ${end},${end === 'src' ? 'sport' : 'dport'}` +
      ` --hmark-mod ${description.workers} --hmark-offset ${hex(markBase + 1)} --hmark-rnd ${seed}`,
    ...workers(description).map(
      (worker) => `-A ${prefix}/${end} -m mark --mark ${hex(markBase + 1 + worker)} -g ${prefix}/${worker}`,
    ),
    // HMARK leaves the mark alone where it cannot make sense of a packet.
    `-A ${prefix}/${end} -g ${prefix}/0`,
  ]);
}

function unmarking(prefix: string): TableRules {
  return {
    table: 'mangle',
    jumps: [`-A PREROUTING -j ${prefix}`, `-A OUTPUT -j ${prefix}`],
    chains: [prefix],
    rules: [
      `-A ${prefix} -m mark --mark ${hex(markBase)}/${hex(markMask)} -j MARK --set-xmark 0x0/0xffffffff`,
    ],
  };
}

function match(selector: Selector): string {
  const { family } = selector;
  const address = prefixOf(selector);
  const icmp = family === 4 ? '-p icmp' : '-p ipv6-icmp';
  switch (selector.kind) {
    case 'ports': {
      const [end, port] = selector.end === 'source' ? ['-s', '--sport'] : ['-d', '--dport'];
      const { protocol } = selector;
      return `${end} ${address} -p ${protocol} -m ${protocol} ${port} ${range(selector.ports)}`;
    }
    case 'echo':
      return `-d ${address} ${icmp} ${family === 4 ? '-m icmp --icmp-type 8' : '-m icmp6 --icmpv6-type 128'}`;
    case 'error': {
      const to = selector.quotedEnd === 'source' ? `-d ${address} ` : '';
      return `${to}${icmp} -m u32 --u32 "${(family === 4 ? quoted4 : quoted6)(selector)}"`;
    }
    case 'tunnel-error': {
      const tests = family === 4 ? errorOver4(selector.protocol) : errorOver6(selector.protocol);
      return `-d ${address} ${icmp} -m u32 --u32 "${tests.join('&&')}"`;
    }
    case 'fragments': {
      const end = selector.end === 'source' ? '-s' : '-d';
      const protocol = selector.protocol === 'icmp' ? icmp : `-p ${selector.protocol}`;
      // More to come, or an offset: RFC 791 §3.1. In IPv6 whatever has a fragment header.
      const fragment = family === 4 ? '-m u32 --u32 "4&0x3fff=1:0x3fff"' : '-m frag --fragid 0:4294967295';
      return `${end} ${address} ${protocol} ${fragment}`;
    }
  }
}

/**
 * A test of the u32 match over an ICMP error and the packet in it. Offsets count from the IP header; `>>22&0x3C`
 * is the length of an IPv4 header, and `@` adds it to what follows.
 *
 *   │ IP │ type, code, sum │ 4 bytes │ quoted IP: … protocol at 9, source at 12, destination at 16 │ ports │
 */
function quoted4({ quotedEnd, address, protocol, ports }: ErrorSelector): string {
  const quotedL4 = `${icmp4}8>>22&0x3C@8`;
  return [
    ...errorOver4(Protocol[protocol]),
    ...(quotedEnd === 'source'
      ? [`${quotedL4}>>16=${range(ports)}`]
      : [`${icmp4}24=${hex(wordsOf(address)[3]!)}`, `${quotedL4}&0xFFFF=${range(ports)}`]),
  ].join('&&');
}

const icmp4 = '0>>22&0x3C@';

/** Unreachable, time exceeded, parameter problem (RFC 792), over a packet of a protocol. */
function errorOver4(protocol: number): string[] {
  return [`${icmp4}0>>24=3,11,12`, `${icmp4}16>>16&0xFF=${protocol}`];
}

/** Unreachable, too big, time exceeded, parameter problem (RFC 4443 §3), over a packet of a protocol. */
function errorOver6(protocol: number): string[] {
  return ['4>>8&0xFF=58', '40>>24=1:4', `52>>8&0xFF=${protocol}`];
}

/** The same for ICMPv6, neither packet with extension headers: an error over such goes by. */
function quoted6({ quotedEnd, address, protocol, ports }: ErrorSelector): string {
  return [
    ...errorOver6(Protocol[protocol]),
    ...(quotedEnd === 'source'
      ? [`88>>16=${range(ports)}`]
      : [
          ...wordsOf(address).map((value, index) => `${72 + 4 * index}=${hex(value)}`),
          `88&0xFFFF=${range(ports)}`,
        ]),
  ].join('&&');
}

/** The address with the length of its prefix, which a network has already, as `iptables-save` writes it. */
function prefixOf({ address, family }: Selector): string {
  return address.includes('/') ? address : `${address}/${family === 4 ? 32 : 128}`;
}

function range([first, last]: PortRange): string {
  return first === last ? `${first}` : `${first}:${last}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
