/** From what a service is asked to be to one that runs. */
import type { Log } from '../model/log.ts';
import type { InstanceSpec, ServiceSpec } from '../model/spec.ts';
import { loadUdp } from '../proxy/socket/udp.ts';
import type { PacketPaths } from './packet-paths.ts';
import { PacketService } from './packet-service.ts';
import { ProxyService } from './proxy-service.ts';
import type { Addresses } from './resolve.ts';
import type { RunningService, Surroundings } from './running-service.ts';
import { natVip } from './vips.ts';

/** Loads what the services of a specification take; to be awaited before they are created or bound. */
export async function prepareServices(spec: InstanceSpec, log: Log): Promise<void> {
  const hearsUdp = ({ mode, listen }: ServiceSpec) =>
    mode === 'proxy' && listen.some(({ protocol }) => protocol === 'udp');
  if (spec.services.some(hearsUdp)) await loadUdp(log);
}

/** A service in its mode: not bound, and checking nothing yet. */
export function createService(
  spec: ServiceSpec,
  addresses: Addresses,
  paths: PacketPaths,
  surroundings: Surroundings,
): RunningService {
  if (spec.mode !== 'nat') return new ProxyService(spec, addresses, surroundings);
  return new PacketService({ spec, addresses, path: paths.nat, complete: natVip, surroundings });
}
