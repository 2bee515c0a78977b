/** From what a service is asked to be to one that runs, in its mode: not bound, and checking nothing yet. */
import type { ServiceSpec } from '../model/spec.ts';
import type { PacketPaths } from './packet-paths.ts';
import { PacketService } from './packet-service.ts';
import { ProxyService } from './proxy-service.ts';
import type { Addresses } from './resolve.ts';
import type { RunningService, Surroundings } from './running-service.ts';
import { natVip } from './vips.ts';

export function createService(
  spec: ServiceSpec,
  addresses: Addresses,
  paths: PacketPaths,
  surroundings: Surroundings,
): RunningService {
  if (spec.mode !== 'nat') return new ProxyService(spec, addresses, surroundings);
  return new PacketService({ spec, addresses, path: paths.nat, complete: natVip, surroundings });
}
