/** Ports: that nobody else waits at those of the VIPs, and that nobody uses those that rewritten packets leave from. */
import { formatHostPort } from '../../model/address.ts';
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, type WayOut, warning } from '../finding.ts';
import type { Listener } from '../readers/sockets.ts';

/** Who waits at a port that a service is to have: a proxy cannot, and in the other modes the other gets nothing. */
export function checkPortTaken({ mode, facts, subject }: Case): readonly Finding[] {
  const vips = subject.services.flatMap(({ vips }) => vips).filter(({ port }) => port > 0);
  if (vips.length === 0) return [];
  if (facts.listeners === undefined) return [moot('port-taken', 'ss is not installed')];
  const others = facts.listeners.filter(({ pid }) => pid === undefined || !subject.pids.includes(pid));
  const findings = vips.flatMap((vip) =>
    others
      .filter(
        ({ protocol, port, address }) =>
          protocol === vip.protocol && port === vip.port && overlap(address, vip.address),
      )
      .map((listener) => {
        const detail = `${whoIs(listener)} listens at ${vip.protocol} ${formatHostPort(listener.address, listener.port)}`;
        return mode === 'proxy'
          ? fault('port-taken', detail, wayToStop(listener))
          : warning('port-taken', `${detail}: its clients come to sluice instead`, wayToStop(listener));
      }),
  );
  return findings.length === 0 ? [ok('port-taken', 'the ports of the VIPs are free')] : dedupe(findings);
}

/** Answers to connections of the machine's own from such a port would be taken for answers to rewritten packets. */
export function checkSnatPorts({ facts, subject, asked }: Case): readonly Finding[] {
  const { snatPorts } = asked;
  if (snatPorts === undefined || subject.services.every(({ keepsClient }) => keepsClient)) return [];
  const [first, last] = snatPorts;
  const range = `${first}-${last}`;
  const { sharedPorts, reservedPorts } = facts.settings;
  const shared = sharedPorts.map((each) => each.join('-')).join(', ');
  const listeners = (facts.listeners ?? []).filter(({ port }) => port >= first && port <= last);
  const findings = [
    ...(shared === ''
      ? []
      : [
          fault('snat-ports', `${shared} of ${range} are for this machine's own connections too`, {
            fix: `sysctl -w net.ipv4.ip_local_reserved_ports=${[reservedPorts, range].filter(Boolean).join(',')}`,
          }),
        ]),
    ...listeners.map((listener) =>
      fault(
        'snat-ports',
        `${whoIs(listener)} listens at ${listener.protocol} ${formatHostPort(listener.address, listener.port)}, within ${range}`,
        wayToStop(listener),
      ),
    ),
  ];
  return findings.length === 0 ? [ok('snat-ports', `${range} are free`)] : findings;
}

/** An empty address is every address. */
function overlap(one: string, other: string): boolean {
  return one === '' || other === '' || one === other;
}

function whoIs({ program, pid }: Listener): string {
  return pid === undefined ? 'another program' : `${program} (process ${pid})`;
}

function wayToStop({ unit, pid }: Listener): WayOut {
  if (unit !== undefined) return { fix: `systemctl stop ${unit}` };
  return pid === undefined ? { advice: 'ask as root who it is' } : { fix: `kill ${pid}` };
}

function dedupe(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [finding.detail, finding])).values()];
}
