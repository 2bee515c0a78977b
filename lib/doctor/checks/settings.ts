/** The kernel's settings. What sluice sets itself at its start is no fault, unless it cannot, or has been undone since. */
import { missingCapabilities } from '../../datapath/kernel/privileges.ts';
import { type Setting, sysctlCommand } from '../../datapath/kernel/sysctls.ts';
import type { Case } from '../check.ts';
import { type Finding, fault, ok } from '../finding.ts';

/** By the last part of a setting's path. */
const names: Readonly<Record<string, string>> = {
  forwarding: 'ip-forward',
  rp_filter: 'rp-filter',
  accept_local: 'accept-local',
  send_redirects: 'send-redirects',
  accept_ra: 'router-advertisements',
};

export function checkSettings({ facts }: Case): readonly Finding[] {
  const { settings, reliedOn, writable } = facts.settings;
  const { status, uid } = facts.process;
  // Who has no capabilities is told that already.
  const settable = writable || missingCapabilities(status, uid).length > 0;
  return Object.entries(names).flatMap(([leaf, check]) => {
    const same = settings.filter(({ path }) => path.endsWith(`/${leaf}`));
    return same.length === 0 ? [] : [judge(check, same, reliedOn, settable)];
  });
}

function judge(
  check: string,
  settings: readonly Setting[],
  reliedOn: ReadonlySet<string>,
  settable: boolean,
): Finding {
  const wrong = settings.filter(({ current, wanted }) => current !== wanted);
  if (wrong.length === 0) return ok(check, 'as it has to be');
  const undone = wrong.filter(({ path }) => reliedOn.has(path));
  if (undone.length > 0) {
    return fault(check, `${undone.map(told).join(', ')}: set back while sluice runs; ${undone[0]!.why}`, {
      fix: undone.map(sysctlCommand).join(' && '),
    });
  }
  if (settable) return ok(check, `${wrong.map(told).join(', ')}: will be set`);
  return fault(check, `${wrong.map(told).join(', ')}, and cannot be set from here; ${wrong[0]!.why}`, {
    fix: wrong.map(sysctlCommand).join(' && '),
  });
}

/** `eth0 1 → 2`. */
function told({ path, current, wanted }: Setting): string {
  return `${path.split('/').at(-2)} ${current} → ${wanted}`;
}
