/** The ways to the backends: that there is one, and how large a packet it carries. */
import { Encapsulation, overheadOf } from '../../packet/encapsulate.ts';
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, warning } from '../finding.ts';

const ethernet = 1_500;

/** Whether there is a way to each backend. */
export function checkRoutes({ facts, subject }: Case): readonly Finding[] {
  const backends = backendsOf(subject);
  if (backends.length === 0) return [];
  const lost = backends.filter((address) => !facts.routes.has(address));
  if (lost.length === 0) return [ok('route', `a way to ${backends.join(', ')}`)];
  return lost.map((address) =>
    fault('route', `there is no way to ${address}`, {
      advice: `add a route: ip route add ${address} via GATEWAY`,
    }),
  );
}

/** Whether whole packets get there, and how much of one is left inside a tunnel. */
export function checkPathMtu({ facts, subject }: Case): readonly Finding[] {
  return backendsOf(subject).flatMap((address) => {
    const path = facts.paths.get(address);
    const route = facts.routes.get(address);
    if (path === undefined || route === undefined) return [];
    const { mtu, isBlackHole } = path;
    if (mtu === undefined) return [moot('path-mtu', `${address} answers no ping`)];
    if (isBlackHole) {
      const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
      return [
        fault('path-mtu', `packets to ${address} above ${mtu} bytes are lost, and nobody says so`, {
          fix: `ip route replace ${address}${via} dev ${route.link} mtu ${mtu}`,
        }),
      ];
    }
    const overhead = overheadTowards(address, subject);
    return [
      overhead === 0 ? ok('path-mtu', `${mtu} bytes to ${address}`) : throughTunnel(address, mtu, overhead),
    ];
  });
}

/** Smaller ones than a client sends are not lost: it is told, and the backend says so when it answers its SYN. */
function throughTunnel(address: string, mtu: number, overhead: number): Finding {
  const inner = mtu - overhead;
  const detail = `${mtu} bytes to ${address}, ${inner} inside the tunnel`;
  if (inner >= ethernet) return ok('path-mtu', detail);
  return warning('path-mtu', `${detail}: clients have to send less than a whole Ethernet frame`, {
    advice: `sluice backend makes them; better is an MTU of ${ethernet + overhead} between balancer and backend`,
  });
}

/** Bytes that a tunnel puts before each packet to a backend, the most of all services; 0 where there is none. */
function overheadTowards(address: string, { services }: Case['subject']): number {
  const version = address.includes(':') ? 6 : 4;
  const overheads = services
    .filter(({ backends }) => backends.some((backend) => backend.address === address))
    .map(({ encapsulation }) =>
      encapsulation === undefined ? 0 : overheadOf(Encapsulation[encapsulation], version),
    );
  return Math.max(0, ...overheads);
}

function backendsOf(subject: Case['subject']): readonly string[] {
  return [...new Set(subject.services.flatMap(({ backends }) => backends.map(({ address }) => address)))];
}
