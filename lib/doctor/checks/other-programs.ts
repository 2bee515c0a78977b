/**
 * Rules by which another program takes the packets of a VIP: to a queue of its own (NFQUEUE), to a socket (TPROXY), to
 * another address (DNAT). Before sluice has a packet that is fatal; behind, the other gets nothing any more.
 */
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, warning } from '../finding.ts';
import type { BaseChain } from '../rules/rule.ts';
import { type Fate, fates } from '../rules/walk.ts';
import { arrivals } from './passages.ts';

const rawPriority = -300;

export function checkOtherPrograms(of: Case): readonly Finding[] {
  const { rules } = of.facts;
  const packets = arrivals(of);
  if (packets.length === 0) return [];
  if (rules === undefined) return [moot('other-programs', 'rules cannot be seen without CAP_NET_ADMIN')];
  const takers = rules.chains
    .filter(({ hook }) => hook === 'prerouting')
    .flatMap((chain) =>
      packets.flatMap((packet) => takersIn(chain, fates(chain, packet), comesFirst(chain, of))),
    );
  const findings = [...new Map(takers.map((finding) => [finding.fix, finding])).values()];
  return findings.length === 0 ? [ok('other-programs', 'no other program takes the packets')] : findings;
}

/** A socket sees packets after all rules, the queues after those of their own priority. */
function comesFirst({ priority }: BaseChain, { mode }: Case): boolean {
  return mode === 'proxy' || priority <= rawPriority;
}

function takersIn(chain: BaseChain, all: readonly Fate[], isFirst: boolean): Finding[] {
  const isTaken = ({ ending }: Fate): boolean =>
    ending === 'queue' || ending === 'divert' || (ending === 'drop' && chain.priority <= rawPriority);
  return all.filter(isTaken).flatMap(({ rule }) => {
    if (rule === undefined) return [];
    const detail = `${chain.title}: "${rule.text}"`;
    const wayOut = { fix: rule.removal };
    if (!isFirst) return [warning('other-programs', `${detail} gets no packet of the VIP any more`, wayOut)];
    return [
      all.every(isTaken)
        ? fault('other-programs', `${detail} takes the packets of the VIP`, wayOut)
        : warning('other-programs', `${detail} may take packets of the VIP`, wayOut),
    ];
  });
}
