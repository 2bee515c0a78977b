/** What instances that crashed have left: rules that send packets to a queue which nobody reads, settings, addresses. */
import type { Case } from '../check.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';

export function checkLeftovers({ facts }: Case): readonly Finding[] {
  const { changes, void: files, answeredFor } = facts.leftovers;
  const orphans = [...(facts.rules?.ours ?? [])].filter(([name]) => !answeredFor.has(name));
  const findings = [
    ...(changes.length === 0
      ? []
      : [
          fault('leftovers', `of an instance that crashed: ${changes.join(', ')}`, {
            fix: 'sluice doctor --clean',
          }),
        ]),
    ...orphans.map(([name, fix]) =>
      fault('leftovers', `rules called ${name}, which no instance knows of`, { fix }),
    ),
    ...(files === 0
      ? []
      : [
          warning('leftovers', `${files} journals of networks that are gone`, {
            fix: 'sluice doctor --clean',
          }),
        ]),
  ];
  return findings.length === 0 ? [ok('leftovers', 'none')] : findings;
}
