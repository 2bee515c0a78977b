/** Whether backends take packets out of their tunnels: what the checks of a running instance say, which go that way. */
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok } from '../finding.ts';

export function checkDecapsulation({ facts, subject }: Case): readonly Finding[] {
  const { services, tunnels } = subject;
  const wanted = new Set(services.flatMap(({ backends }) => backends.map(({ address }) => address)));
  if (wanted.size === 0) return [];
  const seen = tunnels.filter(({ backend }) => wanted.has(backend));
  if (seen.length === 0) {
    return [moot('decapsulation', 'start sluice dsr and ask again: its checks go through the tunnels')];
  }
  const dead = seen.filter(({ last }) => last.startsWith('tunnel dead'));
  if (dead.length === 0) return [ok('decapsulation', 'the checks of the running instance get through')];
  return dead.map(({ backend, vips, last }) => {
    const source = facts.routes.get(backend)?.source;
    return fault('decapsulation', `${backend}: ${last}`, {
      on: backend,
      fix: `sluice backend ${vips.join(' ')}${source === undefined ? '' : ` --from ${source}`}`,
      advice:
        'or a firewall on the way drops tunnels, or the answers to checks: from the VIP to the probe ports',
    });
  });
}
