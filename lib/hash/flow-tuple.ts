/** Flows as people write them: `tcp 198.51.100.7:40000 192.0.2.10:80`. */
import { formatHostPort, parseHostPort } from '../model/address.ts';
import { usageError } from '../model/errors.ts';
import { ipFamily } from '../model/ip.ts';
import type { HostPort, Protocol } from '../model/spec.ts';
import type { FlowTuple } from './flow-key.ts';

const example = 'write tcp|udp CLIENT:PORT VIP:PORT, as in tcp 198.51.100.7:40000 192.0.2.10:80';

/**
 * Reads `[tcp|udp] CLIENT VIP`, each with its port, IPv6 in brackets; tcp is the default. Throws ERR_SLUICE_USAGE for
 * what is no flow: names, or addresses of two families.
 */
export function parseFlowTuple(words: readonly string[]): FlowTuple {
  const [first, ...others] = words;
  const named = first === 'tcp' || first === 'udp' ? first : undefined;
  const [client, vip, ...more] = named === undefined ? words : others;
  if (client === undefined) throw usageError('the client is missing', example);
  if (vip === undefined) throw usageError('the VIP is missing', example);
  if (more.length > 0) throw usageError(`unexpected ${JSON.stringify(more[0])}`, example);
  return tuple(named ?? 'tcp', readEnd(client), readEnd(vip));
}

/** The same flow in words that `parseFlowTuple` reads. */
export function formatFlowTuple(flow: FlowTuple): string[] {
  return [
    flow.protocol,
    formatHostPort(flow.clientAddress, flow.clientPort),
    formatHostPort(flow.vipAddress, flow.vipPort),
  ];
}

function readEnd(text: string): HostPort {
  const end = parseHostPort(text, 'connect');
  if (ipFamily(end.host) !== 0) return end;
  throw usageError(`${JSON.stringify(end.host)} is not an IP address`, 'write the address itself');
}

function tuple(protocol: Protocol, client: HostPort, vip: HostPort): FlowTuple {
  if (ipFamily(client.host) !== ipFamily(vip.host)) {
    throw usageError(
      `${client.host} and ${vip.host} are of two families`,
      'write two IPv4 addresses, or two IPv6 addresses',
    );
  }
  return {
    protocol,
    clientAddress: client.host,
    clientPort: client.port,
    vipAddress: vip.host,
    vipPort: vip.port,
  };
}
