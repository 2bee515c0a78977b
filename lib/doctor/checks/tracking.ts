/** The kernel's own connection tracking: full, it drops whatever is new, checks of backends included. */
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, warning } from '../finding.ts';

const nearlyFull = 0.8;

export function checkTracking({ facts }: Case): readonly Finding[] {
  const { tracking } = facts.settings;
  if (tracking === undefined) return [moot('conntrack', 'the kernel tracks no connections')];
  const { count, limit } = tracking;
  const detail = `${count} of ${limit} entries in use`;
  const wayOut = { fix: `sysctl -w net.netfilter.nf_conntrack_max=${limit * 4}` };
  if (count >= limit) return [fault('conntrack', `${detail}: new connections are dropped`, wayOut)];
  return [count >= limit * nearlyFull ? warning('conntrack', detail, wayOut) : ok('conntrack', detail)];
}
