/** An instance to look at, always the same: two services in the addresses of one family, with flows, checks and a log. */
import type { FlowQuery } from '../../lib/model/flow-query.ts';
import type { TraceView } from '../../lib/model/trace.ts';
import type {
  BackendView,
  FlowState,
  FlowView,
  HistoryView,
  LogEntry,
  ServiceView,
  StatusView,
} from '../../lib/model/view.ts';
import { naiveSearch } from '../model/naive-flow-search.ts';

export const families = {
  ipv4: {
    client: (number: number) => `198.51.100.${number}:${40_000 + number}`,
    vip: (port: number) => `192.0.2.10:${port}`,
    backend: (number: number, port: number) => `10.0.2.${10 + number}:${port}`,
  },
  ipv6: {
    client: (number: number) =>
      `[2001:db8:4f2a:${number}:21b:44ff:fe11:${1_000 + number}]:${40_000 + number}`,
    vip: (port: number) => `[2001:db8:a::10]:${port}`,
    backend: (number: number, port: number) => `[fd00:2::${10 + number}]:${port}`,
  },
} as const;

export type Family = keyof typeof families;

const flowCount = 90;

/** What the instance says of itself, `seconds` after it has started. */
export function worldAt(family: Family, seconds: number) {
  const { vip } = families[family];
  const service = (change: Partial<ServiceView> & Pick<ServiceView, 'name' | 'listen'>): ServiceView => ({
    mode: 'nat',
    balance: 'maglev',
    backends: 3,
    backendsUp: 2,
    flows: 70,
    queued: 0,
    connections: 1_200 * seconds,
    packetsIn: 84_000 * seconds,
    packetsOut: 151_000 * seconds,
    bytesIn: 9_500_000 * seconds,
    bytesOut: 186_000_000 * seconds,
    dropped: {},
    ...change,
  });
  const status: StatusView = {
    name: 'edge-1',
    version: '1.2.3',
    pid: 4242,
    state: 'serving',
    uptimeMs: seconds * 1_000,
    services: [
      service({
        name: 'web',
        listen: `tcp://${vip(443)}`,
        dropped: { 'no-flow': 40 * seconds, 'half-open-full': 3 * seconds },
      }),
      service({
        name: 'dns',
        listen: `udp://${vip(53)},tcp://${vip(53)}`,
        mode: 'proxy',
        balance: 'source',
        backends: 2,
        backendsUp: 2,
        flows: 20,
        connections: 310 * seconds,
        packetsIn: null,
        packetsOut: null,
        bytesIn: 21_000 * seconds,
        bytesOut: 64_000 * seconds,
      }),
    ],
    dropped: { 'not-ip': 2 },
    reloads: { applied: 0, refused: 0, last: null },
  };
  return {
    status,
    backends: backendsOf(family, seconds),
    history: historyAt(seconds),
    log,
    flows: flowsOf(family),
  };
}

export type World = ReturnType<typeof worldAt>;

/** The same in direct server return: nothing of the answers is seen, and backends have no ports. */
export function withoutAnswers({ status, backends, history, flows, log }: World): World {
  const unseen = { packetsOut: null, bytesOut: null } as const;
  const host = (endpoint: string) => endpoint.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return {
    log,
    status: {
      ...status,
      services: status.services.map((service) => ({
        ...service,
        ...unseen,
        mode: 'dsr' as const,
        packetsIn: service.packetsIn ?? 0,
      })),
    },
    backends: backends.map((backend) => ({
      ...backend,
      ...unseen,
      name: host(backend.name),
      address: host(backend.address),
    })),
    history: { ...history, steps: history.steps.map((step) => ({ ...step, packetsOut: null, bytesOut: 0 })) },
    flows: flows.map((flow) => ({
      ...flow,
      mode: 'dsr' as const,
      backend: host(flow.backend!),
      ...unseen,
      bytesOutPerSecond: null,
    })),
  };
}

const checked = { passed: 100, failed: 2 } as const;

function backendsOf(family: Family, seconds: number): readonly BackendView[] {
  const { backend } = families[family];
  const backendView = (
    service: string,
    number: number,
    port: number,
    change: Partial<BackendView> = {},
  ): BackendView => ({
    service,
    name: backend(number, port),
    address: backend(number, port),
    weight: 1,
    state: 'up',
    health: {
      last: 'ok',
      sinceMs: seconds * 1_000,
      latencyMs: 0.42,
      checks: Array(20).fill(0.42),
      ...checked,
    },
    flows: 30,
    connections: 500 * seconds,
    failures: 0,
    sourcePorts: null,
    packetsIn: null,
    packetsOut: null,
    bytesIn: 4_000_000 * seconds,
    bytesOut: 80_000_000 * seconds,
    history: [{ state: 'up', reason: 'ok', agoMs: seconds * 1_000 }],
    ...change,
  });
  return [
    backendView('web', 1, 8443),
    backendView('web', 2, 8443, {
      weight: 2,
      state: 'draining',
      flows: 12,
      health: {
        last: 'ok',
        sinceMs: seconds * 1_000,
        latencyMs: 31,
        checks: Array.from({ length: 20 }, (_, index) => 0.5 * 1.25 ** index),
        ...checked,
      },
      history: [
        { state: 'up', reason: 'ok', agoMs: seconds * 1_000 },
        { state: 'draining', reason: 'asked for', agoMs: 95_000 },
      ],
    }),
    backendView('web', 3, 8443, {
      state: 'down',
      flows: 0,
      failures: 17,
      health: {
        last: 'connection refused',
        sinceMs: 8_000,
        latencyMs: null,
        checks: [...Array(12).fill(0.6), ...Array(8).fill(null)],
        ...checked,
      },
      history: [
        { state: 'up', reason: 'ok', agoMs: seconds * 1_000 },
        { state: 'down', reason: 'connection refused', agoMs: 8_000 },
      ],
    }),
    backendView('dns', 21, 53, { flows: 11, bytesIn: 11_000 * seconds, bytesOut: 30_000 * seconds }),
    backendView('dns', 22, 53, {
      name: 'resolver-b',
      flows: 9,
      connections: 150 * seconds,
      bytesIn: 0,
      bytesOut: 0,
    }),
  ];
}

/** Waves, and a flood that was dropped. */
function historyAt(seconds: number): HistoryView {
  const steps = Array.from({ length: Math.min(300, seconds) }, (_, index) => {
    const wave = 1 + 0.4 * Math.sin(index / 9) + 0.15 * Math.sin(index / 2);
    return {
      packetsIn: Math.round(84_000 * wave),
      packetsOut: Math.round(151_000 * wave),
      bytesIn: Math.round(9_500_000 * wave),
      bytesOut: Math.round(186_000_000 * wave),
      connections: Math.round(1_510 * wave),
      dropped: index % 60 > 50 ? 4_000 : 0,
    };
  });
  return { stepMs: 1_000, steps };
}

const states: readonly FlowState[] = ['established', 'established', 'established', 'connecting', 'closing'];

function flowsOf(family: Family): readonly FlowView[] {
  const { client, vip, backend } = families[family];
  return Array.from({ length: flowCount }, (_, index): FlowView => {
    const isDns = index % 5 === 4;
    const rate = index % 7 === 3 ? 0 : Math.round(50_000_000 / (index + 1) ** 1.5);
    return {
      protocol: isDns ? 'udp' : 'tcp',
      client: client(index + 1),
      vip: vip(isDns ? 53 : 443),
      backend: isDns ? backend(21 + (index % 2), 53) : backend(1 + (index % 2), 8443),
      service: isDns ? 'dns' : 'web',
      state: states[index % states.length]!,
      mode: isDns ? 'proxy' : 'nat',
      ageMs: 1_000 + index * 7_300,
      idleMs: (index % 4) * 1_200,
      packetsIn: 120 * (index + 1),
      packetsOut: 340 * (index + 1),
      bytesIn: 9_000 * (index + 1),
      bytesOut: 480_000 * (index + 1),
      bytesInPerSecond: Math.round(rate / 20),
      bytesOutPerSecond: rate,
    };
  });
}

const log: readonly LogEntry[] = [
  {
    level: 'info',
    message: 'backend is up',
    fields: { service: 'dns', backend: 'resolver-b', reason: 'ok' },
  },
  { level: 'info', message: 'reloaded', fields: { added: 1, changed: 1, removed: 0, unchanged: 0 } },
  { level: 'info', message: 'backend set', fields: { service: 'web', state: 'draining', weight: 2 } },
  { level: 'warn', message: 'backend is down', fields: { service: 'web', reason: 'connection refused' } },
  { level: 'error', message: 'reload refused', fields: { error: 'edge.yaml has 1 mistake' } },
].map((entry, index) => ({
  ...(entry as Pick<LogEntry, 'level' | 'message' | 'fields'>),
  sequence: index + 1,
  timeMs: Date.UTC(2026, 10, 23, 12, 0, index * 7),
}));

/** The flows that a question asks for. */
export function askFlows(flows: readonly FlowView[], query: FlowQuery) {
  return naiveSearch(flows, query, (backend) => backend);
}

/** The way of a flow: as that of any other, but for the slot. */
export function traceOf({
  protocol,
  client,
  vip,
  service,
  mode,
  backend,
  ageMs,
  idleMs,
}: FlowView): TraceView {
  return {
    ...{ protocol, client, vip, service, mode, backend },
    instance: 'edge-1',
    running: true,
    epoch: 17,
    rule: null,
    listener: null,
    flow: {
      ...{ client, vip, backend, ageMs, idleMs },
      state: 'established',
      fromClient: true,
      worker: 0,
      source: '10.0.2.1:61017',
      packetsIn: 1,
      packetsOut: 1,
      bytesIn: 1,
      bytesOut: 1,
    },
    placement: { policy: 'maglev', slot: 12_345, slots: 65_537, backend, settled: true },
    candidates: [],
    rewriting: null,
    verdict: 'rewritten',
    reason: 'forwarded',
  };
}
