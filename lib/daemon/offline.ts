/**
 * An instance that does not run: its services as a configuration describes them, without sockets, threads, rules or
 * checks, and every backend well. For questions about a configuration.
 */
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { silentLog } from '../model/log.ts';
import type { InstanceSpec, ServiceSpec } from '../model/spec.ts';
import type { TraceView } from '../model/trace.ts';
import { systemClock } from './clock.ts';
import { createService } from './create-service.ts';
import type { OpenDatapaths } from './datapath.ts';
import { PacketPaths } from './packet-paths.ts';
import { resolveHosts } from './resolve.ts';
import { requireRoutable } from './routable.ts';
import { traceFlow } from './tracing.ts';

export interface OfflineInstance {
  /** The way of a flow that begins when nothing else does. */
  trace(tuple: FlowTuple): Promise<TraceView>;
  /** Its packet paths. */
  snapshots(): readonly PathSnapshot[];
}

/** Puts up what a configuration describes. Rejects with a SluiceError if it could not run. */
export async function openOffline(spec: InstanceSpec): Promise<OfflineInstance> {
  const addresses = await resolveHosts(spec);
  requireRoutable(spec.services, addresses);
  const { offlineDsr, offlineNat } = await import('../datapath/offline.ts');
  const open: OpenDatapaths = {
    nat: async (settings) => offlineNat(settings),
    dsr: async (settings) => offlineDsr(settings),
  };
  const paths = new PacketPaths(spec, open, silentLog);
  const surroundings = { clock: systemClock, random: Math.random, log: silentLog, hashSeed: spec.hashSeed };
  const unchecked = spec.services.map((each): ServiceSpec => ({ ...each, check: { type: 'none' } }));
  const services = unchecked.map((each) => createService(each, addresses, paths, surroundings));
  for (const service of services) {
    // The packet path only takes note of an address; a proxy would open a socket.
    if (service.spec.mode === 'proxy') continue;
    for (const listen of service.spec.listen) service.bind(listen, addresses);
  }
  await paths.apply();
  const traced = { instance: spec.name, running: false, backends: [], services, paths, addresses };
  return { trace: (tuple) => traceFlow(tuple, traced), snapshots: () => paths.snapshots([]) };
}
