/** Offloads: packets that a network card has put together from several cannot be sent on. */
import type { Case } from '../check.ts';
import { type Finding, fault, ok } from '../finding.ts';

/** The kernel turns the offload off when an interface begins to forward; someone may have turned it on again. */
export function checkOffloads({ facts }: Case): readonly Finding[] {
  const forwards = (name: string): boolean =>
    facts.settings.settings.some(
      ({ path, current }) => path === `net/ipv4/conf/${name}/forwarding` && current === '1',
    );
  const merging = facts.links.filter(({ mergesPackets, name }) => mergesPackets && forwards(name));
  if (merging.length === 0) return [ok('offloads', 'no large receive offload')];
  const names = merging.map(({ name }) => name);
  return [
    fault('offloads', `large receive offload on ${names.join(', ')}: what it merges cannot be sent on`, {
      fix: names.map((name) => `ethtool -K ${name} lro off`).join(' && '),
    }),
  ];
}
