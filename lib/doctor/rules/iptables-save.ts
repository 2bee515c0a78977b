/**
 * What `iptables-save` prints, as chains. Options that are not known here make a rule obscure, never wrong.
 *
 *   *filter                                     a table, until COMMIT
 *   :FORWARD DROP [0:0]                         a chain and its policy, `-` for none
 *   -A FORWARD -i eth0 -p tcp -j ACCEPT         a rule
 */
import type { PortRange } from '../../datapath/kernel/description.ts';
import { protocolName, protocolNumber } from './protocols.ts';
import type { Action, BaseChain, Chain, Hook, Match, Rule, Subnet, Test } from './rule.ts';

/** The programs of one family: `iptables` or `iptables-legacy`, and the same for IPv6. */
export type Program = 'iptables' | 'ip6tables' | 'iptables-legacy' | 'ip6tables-legacy';

const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};

/** The base chains of every table that stands in `saved`. */
export function readIptables(saved: string, program: Program): readonly BaseChain[] {
  return saved
    .split(/^\*/m)
    .slice(1)
    .flatMap((section) => readTable(section, program));
}

interface OpenChain extends Chain {
  readonly policy: string;
  readonly rules: Rule[];
}

function readTable(section: string, program: Program): BaseChain[] {
  const [table = '', ...lines] = section.split('\n');
  const chains = new Map<string, OpenChain>();
  for (const line of lines) {
    const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (name !== undefined && policy !== undefined) chains.set(name, { name, policy, rules: [] });
  }
  for (const line of lines.filter((each) => each.startsWith('-A '))) {
    const [, chain = '', ...words] = wordsOf(line);
    const rule = readRule(words, line, `${program} -t ${table}`, chains);
    chains.get(chain)?.rules.push(rule);
  }
  return [...chains.values()].flatMap(({ name, policy, rules }): BaseChain[] => {
    if (policy === '-') return [];
    return [
      {
        title: `${program} ${table} ${name}`,
        name,
        rules,
        hook: name.toLowerCase() as Hook,
        priority: priorities[table] ?? 0,
        policy: policy === 'DROP' ? 'drop' : 'accept',
        others: chains,
        family: program.startsWith('ip6') ? 6 : 4,
        acceptFirst: (match) =>
          `${program}${table === 'filter' ? '' : ` -t ${table}`} -I ${name} ${matchWords(match)} -j ACCEPT`,
      },
    ];
  });
}

function readRule(
  words: readonly string[],
  line: string,
  tool: string,
  chains: ReadonlyMap<string, unknown>,
): Rule {
  const tests: Test[] = [];
  let obscure = false;
  let action: Action = { kind: 'none' };
  let not = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '!') {
      not = true;
      continue;
    }
    const value = words[at + 1] ?? '';
    if (word === '-j' || word === '-g') {
      action = actionOf(value, word, chains);
      // What follows belongs to the target.
      break;
    }
    const read = options[word];
    if (read !== undefined) {
      const test = read(value);
      if (test === 'obscure') obscure = true;
      else if (test !== undefined) tests.push({ not, ...test });
      at++;
    } else if (word.startsWith('-')) {
      obscure = true;
      // Of what is not tracked nothing is known that could match.
      if (word.startsWith('--ct') && !not) tests.push({ of: 'tracked', not: false });
    }
    not = false;
  }
  return { tests, obscure, action, text: line, removal: line.replace(/^-A/, `${tool} -D`) };
}

type Read = Test extends infer One ? (One extends Test ? Omit<One, 'not'> : never) : never;

/** What each option asks, by its value; undefined for one that asks nothing. */
const options: Readonly<Record<string, (value: string) => Read | 'obscure' | undefined>> = {
  '-s': (value) => ({ of: 'source', subnets: subnetsOf(value) }),
  '-d': (value) => ({ of: 'destination', subnets: subnetsOf(value) }),
  '-i': (value) => ({ of: 'in', names: [interfaceOf(value)] }),
  '-o': (value) => ({ of: 'out', names: [interfaceOf(value)] }),
  '-p': (value) => {
    const number = protocolNumber(value);
    return number === undefined ? 'obscure' : { of: 'protocol', protocols: [number] };
  },
  '--sport': (value) => ({ of: 'source-port', ranges: [rangeOf(value)] }),
  '--dport': (value) => ({ of: 'destination-port', ranges: [rangeOf(value)] }),
  '--sports': (value) => ({ of: 'source-port', ranges: value.split(',').map(rangeOf) }),
  '--dports': (value) => ({ of: 'destination-port', ranges: value.split(',').map(rangeOf) }),
  '--ctstate': (value) => ({ of: 'state', states: value.toLowerCase().split(',') }),
  '--state': (value) => ({ of: 'state', states: value.toLowerCase().split(',') }),
  '--dst-type': (value) => (value === 'LOCAL' ? { of: 'local' } : 'obscure'),
  '--comment': () => undefined,
  '-m': (value) => (plainModules.has(value) ? undefined : 'obscure'),
};

/** Modules that ask nothing by themselves. */
const plainModules = new Set(['tcp', 'udp', 'comment', 'conntrack', 'state', 'multiport', 'addrtype']);

const endings: Readonly<Record<string, Action>> = {
  ACCEPT: { kind: 'accept' },
  DROP: { kind: 'drop' },
  REJECT: { kind: 'drop' },
  RETURN: { kind: 'return' },
  QUEUE: { kind: 'queue' },
  NFQUEUE: { kind: 'queue' },
  DNAT: { kind: 'divert' },
  REDIRECT: { kind: 'divert' },
  TPROXY: { kind: 'divert' },
};

function actionOf(target: string, word: '-j' | '-g', chains: ReadonlyMap<string, unknown>): Action {
  if (chains.has(target)) return { kind: word === '-g' ? 'goto' : 'jump', chain: target };
  return endings[target] ?? { kind: 'none' };
}

/** The words of a line, of which some are in quotation marks. */
function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!);
}

/** An address with a length or a mask, or several. */
function subnetsOf(value: string): Subnet[] {
  return value.split(',').map((each) => {
    const [address = '', mask] = each.split('/');
    if (mask === undefined) return { address, bits: address.includes(':') ? 128 : 32 };
    return { address, bits: mask.includes('.') ? bitsOf(mask) : Number(mask) };
  });
}

function bitsOf(mask: string): number {
  const ones = mask.split('.').map((part) => Number(part).toString(2).replaceAll('0', ''));
  return ones.join('').length;
}

function interfaceOf(value: string): string {
  return value.replace(/\+$/, '*');
}

/** `80`, `80:90`. */
function rangeOf(value: string): PortRange {
  const [first = '0', last = first] = value.split(':');
  return [Number(first), Number(last)];
}

function matchWords({ protocol, sources, destinations, sourcePort, destinationPort }: Match): string {
  return [
    ...(sources === undefined ? [] : ['-s', sources.join(',')]),
    ...(destinations === undefined ? [] : ['-d', destinations.join(',')]),
    '-p',
    protocolName(protocol),
    ...(sourcePort === undefined ? [] : ['--sport', String(sourcePort)]),
    ...(destinationPort === undefined ? [] : ['--dport', String(destinationPort)]),
  ].join(' ');
}
