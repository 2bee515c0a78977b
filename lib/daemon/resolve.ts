/** From the names a person wrote to the addresses that sockets take. */
import { lookup } from 'node:dns/promises';
import { SluiceError } from '../model/errors.ts';
import { ipFamily } from '../model/ip.ts';
import type { InstanceSpec } from '../model/spec.ts';

/** Literal addresses by host; a host that is literal already, or empty, stands for itself. */
export type Addresses = (host: string) => string;

/**
 * Looks up every host of a specification, listeners and backends, once each. IPv4 comes first where a name
 * has both. Rejects with ERR_SLUICE_UNRESOLVED, naming the first that has none.
 */
export async function resolveHosts(spec: InstanceSpec): Promise<Addresses> {
  const hosts = new Set<string>();
  for (const service of spec.services) {
    for (const { host } of [...service.listen, ...service.backends]) {
      if (host !== '' && ipFamily(host) === 0) hosts.add(host);
    }
  }
  const found = new Map(
    await Promise.all([...hosts].map(async (host) => [host, await resolveHost(host)] as const)),
  );
  return (host) => found.get(host) ?? host;
}

async function resolveHost(host: string): Promise<string> {
  try {
    return (await lookup(host, { verbatim: false })).address;
  } catch (cause) {
    throw new SluiceError('ERR_SLUICE_UNRESOLVED', `"${host}" does not resolve to an address`, {
      remedy: 'check the name, or write the address itself',
      cause,
    });
  }
}
