/** The way of one flow through a service of mode proxy: its session, or where its pool would place it. */
import type { BackendPool } from '../balance/pool.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { slotsOf } from '../hash/table-change.ts';
import { formatHostPort, formatListen, parseListen } from '../model/address.ts';
import { parseFlowFilter } from '../model/flow-filter.ts';
import type { Listen } from '../model/spec.ts';
import type { TraceCandidate, TraceFlow, TraceVerdict, TraceView } from '../model/trace.ts';
import type { BackendView, FlowView } from '../model/view.ts';
import type { Addresses } from './resolve.ts';
import type { RunningService } from './running-service.ts';

/** What the tracer knows of the instance. */
export interface TraceSubject {
  readonly instance: string;
  readonly running: boolean;
  readonly backends: readonly BackendView[];
}

/** Undefined if the service does not listen where the flow comes to. */
export function traceProxy(
  tuple: FlowTuple,
  service: RunningService,
  addresses: Addresses,
  subject: TraceSubject,
): TraceView | undefined {
  const listener = listensOf(service).find((listen) => isAt(listen, tuple, addresses));
  if (listener === undefined) return undefined;
  const client = formatHostPort(tuple.clientAddress, tuple.clientPort);
  const filter = parseFlowFilter(`${tuple.protocol} client:${client}`);
  const [session] = service.flowSource.flows({ limit: 1, filter }).flows;
  const { spec } = service;
  // Whatever a policy remembers of the flows before stays with the pool itself.
  const pool = service.pool.copy();
  const explained = pool.explain(tuple);
  const choice = pool.pick(tuple, []);
  const chosen = typeof choice === 'string' ? null : formatHostPort(choice.address, choice.port);
  return {
    protocol: tuple.protocol,
    client,
    vip: formatHostPort(tuple.vipAddress, tuple.vipPort),
    instance: subject.instance,
    running: subject.running,
    mode: 'proxy',
    service: spec.name,
    epoch: service.pool.epoch,
    rule: null,
    listener: formatListen(listener),
    flow: session === undefined ? null : describeSession(session),
    placement: {
      policy: spec.balance,
      slot: explained?.slot ?? null,
      slots: explained?.table.length ?? null,
      backend: chosen,
      settled: explained !== undefined || pool.candidates.length < 2,
    },
    backend: session === undefined ? chosen : session.backend,
    candidates: describeCandidates(pool, explained?.table, spec.name, subject.backends),
    rewriting: null,
    ...(session === undefined ? fateOf(choice, service) : { verdict: 'terminate', reason: 'terminated' }),
  };
}

/** As they are bound, with the ports that were chosen; as they are wished for where nothing is bound. */
function listensOf(service: RunningService): readonly Listen[] {
  const { listen } = service.view();
  return listen === '' ? service.spec.listen : listen.split(',').map(parseListen);
}

function isAt({ protocol, host, port }: Listen, tuple: FlowTuple, addresses: Addresses): boolean {
  if (protocol !== tuple.protocol || port !== tuple.vipPort) return false;
  return host === '' || addresses(host) === tuple.vipAddress;
}

function describeSession(session: FlowView): TraceFlow {
  const { state, client, vip, backend, ageMs, idleMs, packetsIn, packetsOut, bytesIn, bytesOut } = session;
  return {
    state,
    fromClient: true,
    client,
    vip,
    backend,
    worker: null,
    source: null,
    ageMs,
    idleMs,
    packetsIn,
    packetsOut,
    bytesIn,
    bytesOut,
  };
}

/** Of a client that comes now. */
function fateOf(
  choice: ReturnType<BackendPool['pick']>,
  { spec }: RunningService,
): { readonly verdict: TraceVerdict; readonly reason: string } {
  if (choice === 'all-full') return { verdict: 'hold', reason: 'all-full' };
  if (choice !== 'all-down') return { verdict: 'terminate', reason: 'terminated' };
  return { verdict: spec.whenAllDown === 'drop' ? 'drop' : 'refuse', reason: 'all-down' };
}

function describeCandidates(
  pool: BackendPool,
  table: Uint16Array | undefined,
  service: string,
  views: readonly BackendView[],
): TraceCandidate[] {
  const names = pool.candidates.map(({ name }) => name);
  const slots = table === undefined ? undefined : slotsOf({ table, names });
  return pool.backends.map(({ name, address, port, weight, state, healthLast }) => {
    const view = views.find((each) => each.service === service && each.name === name);
    const place = names.indexOf(name);
    return {
      name,
      address: formatHostPort(address, port),
      weight,
      state: view?.state ?? state,
      health: view?.health.last ?? healthLast,
      candidate: place >= 0,
      slots: slots === undefined ? null : (slots[place] ?? 0),
    };
  });
}
