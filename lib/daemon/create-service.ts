/** From what a service is asked to be to one that runs. */
import type { Log } from '../model/log.ts';
import type { InstanceSpec, ServiceSpec } from '../model/spec.ts';
import { loadUdp } from '../proxy/socket/udp.ts';
import { dsrMode, natMode } from './packet-modes.ts';
import type { PacketPaths } from './packet-paths.ts';
import { PacketService } from './packet-service.ts';
import { ProxyService } from './proxy-service.ts';
import type { Addresses } from './resolve.ts';
import type { RunningService, Surroundings } from './running-service.ts';

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
  switch (spec.mode) {
    case 'proxy':
      return new ProxyService(spec, addresses, surroundings);
    case 'nat':
      return new PacketService({ spec, addresses, path: paths.nat, mode: natMode, surroundings });
    case 'dsr':
      return new PacketService({ spec, addresses, path: paths.dsr, mode: dsrMode, surroundings });
  }
}
