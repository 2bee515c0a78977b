/** An instance that balances nothing: it shows fixed views and notes what it is asked to do. */
import type { BackendPatch, ConfigText, Controllable } from '../../lib/control/controllable.ts';
import type { PathSnapshot } from '../../lib/datapath/snapshot.ts';
import type { FlowTuple } from '../../lib/hash/flow-key.ts';
import { ExitCode, SluiceError } from '../../lib/model/errors.ts';
import type { FlowQuery } from '../../lib/model/flow-query.ts';
import type { PlanView } from '../../lib/model/plan.ts';
import type { TraceView } from '../../lib/model/trace.ts';
import type {
  BackendView,
  FlowsView,
  FlowView,
  HistoryStep,
  HistoryView,
  LogEntry,
  LogView,
  PathView,
  StatusView,
} from '../../lib/model/view.ts';

export class FakeInstance implements Controllable {
  ready = true;
  /** Every call that would have changed something. */
  readonly asked: unknown[] = [];
  /** What the next `reload` comes to. */
  reloading: () => Promise<PlanView> = async () => this.planView;
  onStop = (): void => undefined;

  pathSnapshots: readonly PathSnapshot[] = [];

  readonly traceView: TraceView = {
    protocol: 'tcp',
    client: '198.51.100.7:40000',
    vip: '192.0.2.10:80',
    instance: 'edge',
    running: true,
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

  readonly planView: PlanView = {
    name: 'edge',
    added: ['api'],
    changed: [],
    removed: [],
    unchanged: ['web'],
    needRestart: [],
    services: [],
    flows: { live: 3, stay: 3, move: 0, cut: 0, examples: [] },
    drainMs: 10_000,
    refused: null,
  };

  readonly statusView: StatusView = {
    name: 'edge',
    version: '1.2.3',
    pid: 4711,
    state: 'serving',
    uptimeMs: 61_500,
    services: [
      {
        name: 'web',
        mode: 'proxy',
        listen: 'tcp://127.0.0.1:8080',
        balance: 'maglev',
        backends: 2,
        backendsUp: 1,
        flows: 3,
        queued: 4,
        connections: 50,
        packetsIn: null,
        packetsOut: null,
        bytesIn: 600,
        bytesOut: 7_000,
        dropped: { 'all-down': 8, 'queue-full': 9 },
      },
    ],
    dropped: { 'not-ours': 7 },
    reloads: { applied: 2, refused: 1, last: { ok: false, agoMs: 5_000 } },
  };

  readonly pathViews: readonly PathView[] = [
    {
      mode: 'nat',
      generation: 4,
      halfOpen: { dns: 3 },
      workers: [
        {
          worker: 0,
          restarts: 1,
          generation: 3,
          flows: 30,
          halfOpen: 3,
          capacity: 127,
          expired: 8,
          evicted: 9,
          queue: {
            number: 20_480,
            waiting: 5,
            droppedQueueFull: 6,
            droppedBufferFull: 7,
            packets: 1_000,
            receives: 100,
            sends: 90,
            overruns: 1,
            refused: 2,
            malformed: 3,
          },
        },
      ],
    },
  ];

  readonly backendViews: readonly BackendView[] = [
    {
      service: 'web',
      name: '127.0.0.1:9001',
      address: '127.0.0.1:9001',
      weight: 2,
      state: 'up',
      health: { last: 'ok', sinceMs: 1_000, latencyMs: 0.5, checks: [0.7, 0.5], passed: 60, failed: 2 },
      flows: 3,
      connections: 40,
      failures: 1,
      sourcePorts: null,
      packetsIn: null,
      packetsOut: null,
      bytesIn: 600,
      bytesOut: 7_000,
      history: [{ state: 'up', reason: 'ok', agoMs: 1_000 }],
    },
    {
      service: 'web',
      name: 'rack 2/ä%',
      address: '[fd00::1]:9002',
      weight: 1,
      state: 'down',
      health: {
        last: 'connection refused',
        sinceMs: 200,
        latencyMs: null,
        checks: [0.4, null],
        passed: 40,
        failed: 3,
      },
      flows: 0,
      connections: 10,
      failures: 5,
      sourcePorts: 4_535,
      packetsIn: 21,
      packetsOut: 22,
      bytesIn: 0,
      bytesOut: 0,
      history: [{ state: 'down', reason: 'connection refused', agoMs: 200 }],
    },
  ];

  readonly flowViews: readonly FlowView[] = [1, 2, 3].map((port) => ({
    protocol: 'tcp',
    client: `192.0.2.1:${port}`,
    vip: '127.0.0.1:8080',
    backend: '127.0.0.1:9001',
    service: 'web',
    state: 'established',
    mode: 'proxy',
    ageMs: 10,
    idleMs: 5,
    packetsIn: null,
    packetsOut: null,
    bytesIn: 1,
    bytesOut: 2,
  }));

  readonly logEntries: readonly LogEntry[] = [1, 2].map((sequence) => ({
    sequence,
    timeMs: sequence * 1_000,
    level: 'info',
    message: 'backend is up',
    fields: { service: 'web' },
  }));

  readonly historySteps: readonly HistoryStep[] = [1, 2, 3].map((bytesIn) => ({
    packetsIn: null,
    packetsOut: null,
    bytesIn,
    bytesOut: 0,
    connections: 0,
    dropped: 0,
  }));

  status(): StatusView {
    return this.statusView;
  }

  backends(): readonly BackendView[] {
    return this.backendViews;
  }

  paths(): readonly PathView[] {
    return this.pathViews;
  }

  flows(query: FlowQuery): FlowsView {
    this.asked.push(['flows', query]);
    return { flows: this.flowViews.slice(0, query.limit), matching: this.flowViews.length };
  }

  history(steps: number): HistoryView {
    return { stepMs: 1_000, steps: this.historySteps.slice(-steps) };
  }

  log(after: number): LogView {
    return { entries: this.logEntries.filter(({ sequence }) => sequence > after) };
  }

  patchBackend(service: string | undefined, backend: string, patch: BackendPatch): readonly BackendView[] {
    this.asked.push(['patch', service, backend, patch]);
    const found = this.backendViews.filter(({ name }) => name === backend);
    if (found.length > 0) return found;
    throw new SluiceError('ERR_SLUICE_NO_SUCH_BACKEND', `there is no backend ${backend}`, {
      exitCode: ExitCode.usage,
      remedy: 'see `sluice backends`',
    });
  }

  reload(): Promise<PlanView> {
    this.asked.push(['reload']);
    return this.reloading();
  }

  async plan(instead?: ConfigText): Promise<PlanView> {
    this.asked.push(['plan', instead]);
    return this.planView;
  }

  async trace(flow: FlowTuple): Promise<TraceView> {
    this.asked.push(['trace', flow]);
    return this.traceView;
  }

  snapshots(tuples: readonly FlowTuple[]): readonly PathSnapshot[] {
    this.asked.push(['snapshots', tuples]);
    return this.pathSnapshots;
  }

  stop(): void {
    this.asked.push(['stop']);
    this.onStop();
  }
}
