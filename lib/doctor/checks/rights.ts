/** Whether this process may do what the mode does. */
import { missingCapabilities } from '../../datapath/kernel/privileges.ts';
import type { Case } from '../check.ts';
import { type Finding, fault, ok } from '../finding.ts';

/** CAP_NET_ADMIN and CAP_NET_RAW, for itself and for the tools that it starts. */
export function checkCapabilities({ facts }: Case): readonly Finding[] {
  const { status, uid } = facts.process;
  const missing = missingCapabilities(status, uid);
  if (missing.length === 0) return [ok('capabilities', 'CAP_NET_ADMIN and CAP_NET_RAW')];
  return missing.map(({ what, fix }) => fault('capabilities', what, { advice: fix }));
}

/** CAP_NET_BIND_SERVICE of linux/capability.h. */
const bindService = 10n;

/** Whether a proxy may listen at its ports. */
export function checkLowPorts({ facts, subject }: Case): readonly Finding[] {
  const { status, firstOpenPort } = facts.process;
  const effective = BigInt(`0x${/^CapEff:\s*([\da-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const ports = subject.services
    .flatMap(({ vips }) => vips.map(({ port }) => port))
    .filter((port) => port > 0);
  const low = ports.filter((port) => port < firstOpenPort);
  if (low.length === 0) return [ok('low-ports', `ports from ${firstOpenPort} on are everyone's`)];
  if (((effective >> bindService) & 1n) === 1n) return [ok('low-ports', 'CAP_NET_BIND_SERVICE')];
  const lowest = Math.min(...low);
  return [
    fault('low-ports', `this process may not listen at port ${lowest}`, {
      fix: `sysctl -w net.ipv4.ip_unprivileged_port_start=${lowest}`,
    }),
  ];
}
