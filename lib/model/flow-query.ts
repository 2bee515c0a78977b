/** Which flows somebody asks for, how many of them and in which order. */
import type { FlowFilter } from './flow-filter.ts';
import { endpointKey } from './shown-endpoint.ts';
import type { Order } from './top.ts';
import type { FlowView } from './view.ts';

/** What flows can be sorted by: numbers greatest first, words in their order, addresses by their bytes. */
export const flowSorts = [
  'age',
  'idle',
  'client',
  'vip',
  'backend',
  'state',
  'packets-in',
  'packets-out',
  'bytes-in',
  'bytes-out',
  'rate-in',
  'rate-out',
] as const;

export type FlowSort = (typeof flowSorts)[number];

export interface FlowQuery {
  /** Flows at most. */
  readonly limit: number;
  /** By age, the oldest first, unless given. */
  readonly sort?: FlowSort;
  /** The other way round. */
  readonly reverse?: boolean;
  readonly filter?: FlowFilter;
  /** Whether to say how fast flows are: that takes a look at each, once a second at most. */
  readonly rates?: boolean;
}

/** Whether a query needs the speed of every flow. */
export function needsRates({ rates, sort }: FlowQuery): boolean {
  return rates === true || sort === 'rate-in' || sort === 'rate-out';
}

/** The order of a query among flows that several sources have found; of two alike the older comes first. */
export function orderOfFlows({ sort = 'age', reverse = false }: FlowQuery): Order<FlowView> {
  const compare = comparisons[sort];
  return (one, other) =>
    (reverse ? compare(other, one) : compare(one, other)) ||
    other.ageMs - one.ageMs ||
    words(({ client }) => endpointKey(client))(one, other);
}

const comparisons: Readonly<Record<FlowSort, Order<FlowView>>> = {
  age: numbers(({ ageMs }) => ageMs),
  idle: numbers(({ idleMs }) => idleMs),
  client: words(({ client }) => endpointKey(client)),
  vip: words(({ vip }) => endpointKey(vip)),
  backend: words(({ backend }) => endpointKey(backend ?? '')),
  state: words(({ state }) => state),
  'packets-in': numbers(({ packetsIn }) => packetsIn),
  'packets-out': numbers(({ packetsOut }) => packetsOut),
  'bytes-in': numbers(({ bytesIn }) => bytesIn),
  'bytes-out': numbers(({ bytesOut }) => bytesOut),
  'rate-in': numbers(({ bytesInPerSecond }) => bytesInPerSecond),
  'rate-out': numbers(({ bytesOutPerSecond }) => bytesOutPerSecond),
};

/** What is not known comes after all that is. */
function numbers(of: (flow: FlowView) => number | null | undefined): Order<FlowView> {
  return (one, other) => (of(other) ?? -1) - (of(one) ?? -1);
}

function words(of: (flow: FlowView) => string): Order<FlowView> {
  return (one, other) => {
    const [left, right] = [of(one), of(other)];
    return left < right ? -1 : Number(left > right);
  };
}
