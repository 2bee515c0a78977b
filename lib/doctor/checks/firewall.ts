/**
 * Whether rules of others drop the packets of a mode. Docker and ufw have whatever is forwarded dropped that they do
 * not know of, and every chain of a hook has to let a packet through.
 */
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, warning } from '../finding.ts';
import type { BaseChain, Match } from '../rules/rule.ts';
import { type Fate, fates } from '../rules/walk.ts';
import { type Passage, passages } from './passages.ts';

/** The priority of sluice's own chains: what comes before them sees packets as clients sent them. */
const rawPriority = -300;

export function checkFirewall(of: Case): readonly Finding[] {
  if (of.subject.services.length === 0) return [];
  const { rules } = of.facts;
  if (rules === undefined) return [moot('firewall', 'rules cannot be seen without CAP_NET_ADMIN')];
  const all = passages(of);
  const findings = rules.chains.flatMap((chain) => {
    const through = all.filter(({ hook }) => hook === chain.hook && isBehindUs(chain));
    const judged = through.map((passage) => ({ passage, ...judge(fates(chain, passage.packet)) }));
    return (['dropped', 'perhaps'] as const).flatMap((outcome) => {
      const hit = judged.filter((each) => each.outcome === outcome);
      return hit.length === 0 ? [] : [tell(chain, outcome, hit)];
    });
  });
  return findings.length === 0 ? [ok('firewall', 'no rule drops what sluice sends')] : findings;
}

function isBehindUs({ hook, priority }: BaseChain): boolean {
  return hook !== 'prerouting' || priority > rawPriority;
}

interface Judged {
  readonly outcome: 'dropped' | 'perhaps' | 'through';
  /** What drops it. */
  readonly by: Fate | undefined;
}

function judge(all: readonly Fate[]): Judged {
  const by = all.find(({ ending }) => ending === 'drop');
  if (by === undefined) return { outcome: 'through', by };
  return { outcome: all.every(({ ending }) => ending === 'drop') ? 'dropped' : 'perhaps', by };
}

function tell(
  chain: BaseChain,
  outcome: 'dropped' | 'perhaps',
  hit: readonly (Judged & { readonly passage: Passage })[],
): Finding {
  const matches = merge(hit.map(({ passage }) => passage.match));
  const by = new Set(hit.map(({ by }) => (by?.rule === undefined ? 'its policy' : `"${by.rule.text}"`)));
  const verb = outcome === 'dropped' ? 'drops' : 'may drop';
  const what = matches.map(describe).join(', ');
  const detail = `${chain.title} ${verb} ${what}, by ${[...by].join(', ')}`;
  const fix = matches.map((match) => chain.acceptFirst(match)).join(' && ');
  return outcome === 'dropped' ? fault('firewall', detail, { fix }) : warning('firewall', detail, { fix });
}

/** Those that differ by address alone become one. */
function merge(matches: readonly Match[]): readonly Match[] {
  const merged = new Map<string, Match>();
  for (const match of matches) {
    const { sources, destinations, ...rest } = match;
    const key = JSON.stringify([rest, sources === undefined, destinations === undefined]);
    const known = merged.get(key);
    merged.set(key, {
      ...rest,
      ...(sources === undefined ? {} : { sources: union(known?.sources, sources) }),
      ...(destinations === undefined ? {} : { destinations: union(known?.destinations, destinations) }),
    });
  }
  return [...merged.values()];
}

function union(known: readonly string[] | undefined, more: readonly string[]): readonly string[] {
  return [...new Set([...(known ?? []), ...more])];
}

const protocols: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 47: 'GRE' };

/** `tcp to 10.2.0.2 port 8080`. */
function describe({ protocol, sources, sourcePort, destinations, destinationPort }: Match): string {
  const end = (
    word: string,
    addresses: readonly string[] | undefined,
    port: number | undefined,
  ): string[] => [
    ...(addresses === undefined && port === undefined ? [] : [word]),
    ...(addresses === undefined ? [] : [addresses.join(' ')]),
    ...(port === undefined ? [] : [`port ${port}`]),
  ];
  return [
    protocols[protocol] ?? `protocol ${protocol}`,
    ...end('from', sources, sourcePort),
    ...end('to', destinations, destinationPort),
  ].join(' ');
}
