/**
 * Finds the flows of a proxy that somebody asks for. Each is looked at where it is; only those that are shown are made
 * into views, and a client's address, which costs a system call, is asked for only where the question is about it.
 */
import {
  type EndpointTerm,
  type FlowPlace,
  type FlowTerm,
  fitsEndpoint,
  fitsName,
} from '../model/flow-filter.ts';
import { type FlowQuery, type FlowSort, needsRates } from '../model/flow-query.ts';
import { parseIp } from '../model/ip.ts';
import { type Order, Top } from '../model/top.ts';
import type { FlowsView } from '../model/view.ts';
import type { ProxyContext } from './context.ts';
import { type ProxiedFlow, viewFlow } from './flow-view.ts';

/** What `query` asks for among the flows of one service. */
export function searchFlows(
  flows: Iterable<ProxiedFlow>,
  query: FlowQuery,
  context: ProxyContext,
): FlowsView {
  const { filter, limit } = query;
  const top = new Top(limit, orderOf(query));
  let matching = 0;
  for (const flow of flows) {
    if (filter !== undefined && !filter.terms.every((term) => fits(flow, term, context.service))) continue;
    matching++;
    top.offer(flow);
  }
  const rates = needsRates(query);
  return { flows: top.sorted().map((flow) => viewFlow(flow, context, rates)), matching };
}

function fits(flow: ProxiedFlow, term: FlowTerm, service: string): boolean {
  switch (term.kind) {
    case 'state':
      return flow.state === term.state;
    case 'protocol':
      return flow.protocol === term.protocol;
    case 'name': {
      const names = { service, backend: flow.backend?.name ?? '' };
      return fitsName(
        term,
        term.of.map((of) => names[of]),
      );
    }
    case 'endpoint':
      return term.places.some((place) => fitsPlace(flow, place, term));
  }
}

const bytes = new Uint8Array(32);

function fitsPlace(flow: ProxiedFlow, place: FlowPlace, term: EndpointTerm): boolean {
  if (place === 'backend' && flow.backend === null) return false;
  if (term.network !== undefined) parseIp(addressAt(flow, place), bytes, 0);
  return fitsEndpoint(term, bytes, 0, portAt(flow, place));
}

function addressAt(flow: ProxiedFlow, place: FlowPlace): string {
  if (place === 'client') return flow.clientAddress;
  return place === 'vip' ? flow.vipAddress : flow.backend!.address;
}

function portAt(flow: ProxiedFlow, place: FlowPlace): number {
  if (place === 'client') return flow.clientPort;
  return place === 'vip' ? flow.vipPort : flow.backend!.port;
}

/** Of two alike the older comes first, as they come in that order. */
function orderOf({ sort = 'age', reverse = false }: FlowQuery): Order<ProxiedFlow> {
  const order = orders[sort];
  return (one, other) => (reverse ? order(other, one) : order(one, other)) || one.startedMs - other.startedMs;
}

const orders: Readonly<Record<FlowSort, Order<ProxiedFlow>>> = {
  age: (one, other) => one.startedMs - other.startedMs,
  idle: (one, other) => one.lastMs - other.lastMs,
  client: byPlace('client'),
  vip: byPlace('vip'),
  backend: byPlace('backend'),
  state: (one, other) => (one.state < other.state ? -1 : Number(one.state > other.state)),
  'packets-in': greatestFirst(({ packetsIn }) => packetsIn ?? -1),
  'packets-out': greatestFirst(({ packetsOut }) => packetsOut ?? -1),
  'bytes-in': greatestFirst(({ bytesIn }) => bytesIn),
  'bytes-out': greatestFirst(({ bytesOut }) => bytesOut),
  'rate-in': greatestFirst(({ bytesInPerSecond }) => bytesInPerSecond),
  'rate-out': greatestFirst(({ bytesOutPerSecond }) => bytesOutPerSecond),
};

function greatestFirst(of: (flow: ProxiedFlow) => number): Order<ProxiedFlow> {
  return (one, other) => of(other) - of(one);
}

/** By the bytes of the address, then by port; a flow without a backend comes first. */
function byPlace(place: FlowPlace): Order<ProxiedFlow> {
  return (one, other) => {
    if (place === 'backend' && (one.backend === null || other.backend === null)) {
      return Number(one.backend !== null) - Number(other.backend !== null);
    }
    parseIp(addressAt(one, place), bytes, 0);
    parseIp(addressAt(other, place), bytes, 16);
    for (let index = 0; index < 16; index++) {
      const difference = bytes[index]! - bytes[index + 16]!;
      if (difference !== 0) return difference;
    }
    return portAt(one, place) - portAt(other, place);
  };
}
