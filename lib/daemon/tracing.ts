/**
 * The way of one flow through all that an instance has: rules come first, and what they leave alone comes to the
 * listeners of proxies, or to whatever else the machine does with it.
 */
import type { FlowTuple } from '../hash/flow-key.ts';
import { formatHostPort } from '../model/address.ts';
import type { TraceView } from '../model/trace.ts';
import type { PacketPaths } from './packet-paths.ts';
import type { Addresses } from './resolve.ts';
import type { RunningService } from './running-service.ts';
import { type TraceSubject, traceProxy } from './trace-proxy.ts';

export interface Traced extends TraceSubject {
  readonly services: Iterable<RunningService>;
  readonly paths: PacketPaths;
  readonly addresses: Addresses;
}

/** Loads the code of the packet path only where there is one. */
export async function traceFlow(tuple: FlowTuple, traced: Traced): Promise<TraceView> {
  for (const path of traced.paths.all) {
    const snapshot = path.snapshot([tuple]);
    if (snapshot === undefined) continue;
    const { tracePacket } = await import('../trace/trace-packet.ts');
    const view = tracePacket(snapshot, tuple, { ...traced, mode: path.mode });
    if (view !== undefined) return view;
  }
  for (const service of traced.services) {
    if (service.spec.mode !== 'proxy') continue;
    const view = traceProxy(tuple, service, traced.addresses, traced);
    if (view !== undefined) return view;
  }
  return passingBy(tuple, traced);
}

/** No service takes it: as if nobody were there. */
function passingBy(tuple: FlowTuple, { instance, running }: TraceSubject): TraceView {
  return {
    protocol: tuple.protocol,
    client: formatHostPort(tuple.clientAddress, tuple.clientPort),
    vip: formatHostPort(tuple.vipAddress, tuple.vipPort),
    instance,
    running,
    mode: null,
    service: null,
    epoch: null,
    rule: null,
    listener: null,
    flow: null,
    placement: null,
    backend: null,
    candidates: [],
    rewriting: null,
    verdict: 'accept',
    reason: 'not-ours',
  };
}
