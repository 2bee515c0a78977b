/**
 * What `nft --json list ruleset` prints (libnftables-json(5)), as chains. Expressions that are not known here make a
 * rule obscure, never wrong; a verdict map becomes a rule for each of its elements.
 */
import { type Json, type NamedSets, type NftMatch, readMatch } from './nft-match.ts';
import { protocolName } from './protocols.ts';
import type { Action, BaseChain, Chain, Hook, Match, Rule, Test } from './rule.ts';

interface InTable {
  readonly family: string;
  readonly table: string;
}

interface NftChain extends InTable {
  readonly name: string;
  readonly hook?: string;
  readonly prio?: number;
  readonly policy?: string;
}

interface NftRule extends InTable {
  readonly chain: string;
  readonly handle: number;
  readonly expr: readonly Json[];
}

/** A set, or a map, whose elements are pairs. */
interface NftSet extends InTable {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

/** The names of all tables. */
export function tableNames(text: string): readonly string[] {
  return objectsOf<{ readonly name: string }>(text, 'table').map(({ name }) => name);
}

/** The base chains of every table but those that `isKnown` says were read in another way. */
export function readNft(
  text: string,
  isKnown: (family: string, table: string) => boolean,
): readonly BaseChain[] {
  const isWanted = ({ family, table }: InTable): boolean =>
    ['ip', 'ip6', 'inet'].includes(family) && !isKnown(family, table);
  const chains = objectsOf<NftChain>(text, 'chain').filter(isWanted);
  const rules = new Map<string, NftRule[]>();
  for (const rule of objectsOf<NftRule>(text, 'rule').filter(isWanted)) {
    const chain = `${tableOf(rule)} ${rule.chain}`;
    const known = rules.get(chain);
    if (known === undefined) rules.set(chain, [rule]);
    else known.push(rule);
  }
  const sets = new Map(
    [...objectsOf<NftSet>(text, 'set'), ...objectsOf<NftSet>(text, 'map')].map((set) => [
      `${tableOf(set)} ${set.name}`,
      set.elem ?? [],
    ]),
  );
  const tables = new Map<string, Map<string, Chain>>();
  for (const chain of chains) {
    const table = tableOf(chain);
    const read = (rule: NftRule): Rule[] => readRule(rule, (name) => sets.get(`${table} ${name}`));
    const others = tables.get(table) ?? new Map<string, Chain>();
    const own = (rules.get(`${table} ${chain.name}`) ?? []).flatMap(read);
    tables.set(table, others.set(chain.name, { name: chain.name, rules: own }));
  }
  return chains.flatMap((chain): BaseChain[] => {
    const { family, name, hook, prio, policy } = chain;
    if (hook === undefined) return [];
    const others = tables.get(tableOf(chain))!;
    return [
      {
        ...others.get(name)!,
        title: `nft ${tableOf(chain)} ${name}`,
        hook: hook as Hook,
        priority: prio ?? 0,
        policy: policy === 'drop' ? 'drop' : 'accept',
        others,
        family: families[family],
        acceptFirst: (match) => `nft insert rule ${tableOf(chain)} ${name} ${matchWords(match)} accept`,
      },
    ];
  });
}

const families: Readonly<Record<string, 4 | 6>> = { ip: 4, ip6: 6 };

function objectsOf<Item>(text: string, kind: string): readonly Item[] {
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly Json[] };
  return nftables.flatMap((object) => (kind in object ? [object[kind] as Item] : []));
}

function tableOf({ family, table }: InTable): string {
  return `${family} ${table}`;
}

function readRule(rule: NftRule, sets: NamedSets): Rule[] {
  const place = `${tableOf(rule)} ${rule.chain} handle ${rule.handle}`;
  const told = { text: place, removal: `nft delete rule ${place}` };
  const tests: Test[] = [];
  const rules: Rule[] = [];
  let obscure = false;
  for (const [kind, value] of rule.expr.flatMap((statement) => Object.entries(statement))) {
    if (kind === 'match') {
      const asked = readMatch(value as NftMatch, sets);
      tests.push(...asked.tests);
      obscure ||= asked.obscure;
    } else if (kind === 'vmap') {
      const elements = readMap(value as NftMap, sets);
      for (const element of elements) {
        rules.push({
          ...told,
          tests: [...tests, ...element.tests],
          obscure: obscure || element.obscure,
          action: element.action,
        });
      }
    } else if (kind === 'xt') {
      // A target or a match of iptables, of which nothing but the name is told.
      const { type, name } = value as { readonly type: string; readonly name: string };
      obscure = true;
      if (type === 'target') {
        rules.push({ ...told, tests: [...tests], obscure, action: actionOf(name.toLowerCase(), {}) });
      }
    } else if (kind in verdicts) {
      rules.push({ ...told, tests: [...tests], obscure, action: actionOf(kind, value) });
    } else if (!plainStatements.has(kind)) {
      obscure = true;
    }
  }
  return rules;
}

/** They change or count a packet, or write about it, and ask nothing. */
const plainStatements = new Set(['counter', 'log', 'mangle', 'notrack', 'ct helper', 'comment']);

const verdicts: Readonly<Record<string, Action>> = {
  accept: { kind: 'accept' },
  drop: { kind: 'drop' },
  reject: { kind: 'drop' },
  return: { kind: 'return' },
  queue: { kind: 'queue' },
  nfqueue: { kind: 'queue' },
  dnat: { kind: 'divert' },
  redirect: { kind: 'divert' },
  tproxy: { kind: 'divert' },
  jump: { kind: 'jump', chain: '' },
  goto: { kind: 'goto', chain: '' },
};

function actionOf(kind: string, value: unknown): Action {
  const action = verdicts[kind] ?? { kind: 'none' };
  if (action.kind !== 'jump' && action.kind !== 'goto') return action;
  return { kind: action.kind, chain: (value as { readonly target: string }).target };
}

interface NftMap {
  readonly key: Json;
  readonly data: string | { readonly set: readonly unknown[] };
}

function readMap({ key, data }: NftMap, sets: NamedSets) {
  const elements = typeof data === 'string' ? (sets(data.slice(1)) ?? []) : data.set;
  return elements.map((element) => {
    const [value, verdict] = element as readonly [unknown, Json];
    const [[kind, about] = ['', undefined]] = Object.entries(verdict);
    return { ...readMatch({ op: '==', left: key, right: value }, sets), action: actionOf(kind, about) };
  });
}

function matchWords({ family, protocol, sources, destinations, sourcePort, destinationPort }: Match): string {
  const ip = family === 4 ? 'ip' : 'ip6';
  const name = protocolName(protocol);
  return [
    ...(sources === undefined ? [] : [`${ip} saddr ${setOf(sources)}`]),
    ...(destinations === undefined ? [] : [`${ip} daddr ${setOf(destinations)}`]),
    ...(sourcePort === undefined && destinationPort === undefined ? [`meta l4proto ${name}`] : []),
    ...(sourcePort === undefined ? [] : [`${name} sport ${sourcePort}`]),
    ...(destinationPort === undefined ? [] : [`${name} dport ${destinationPort}`]),
  ].join(' ');
}

function setOf(addresses: readonly string[]): string {
  return addresses.length === 1 ? addresses[0]! : `'{ ${addresses.join(', ')} }'`;
}
