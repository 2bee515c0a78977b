/** The TCP side of a proxied service: its listeners and all flows that came through them. */
import type { Backend } from '../balance/backend.ts';
import type { HostPort } from '../model/spec.ts';
import type { ProxyContext } from './context.ts';
import { type BackendFlows, groupByBackend } from './flow-groups.ts';
import { viewFlow } from './flow-view.ts';
import type { Listener, Stream, TcpTransport } from './socket/stream.ts';
import { type FlowHome, TcpFlow } from './tcp-flow.ts';
import { WaitingRoom } from './waiting-room.ts';

export class TcpProxy implements FlowHome {
  readonly context: ProxyContext;
  readonly transport: TcpTransport;
  readonly #flows = new Set<TcpFlow>();
  readonly #waiting = new WaitingRoom<TcpFlow>();
  readonly #speaksForAll = (flow: TcpFlow): boolean => flow.isFresh && !this.context.pool.affinity;

  constructor(context: ProxyContext, transport: TcpTransport) {
    this.context = context;
    this.transport = transport;
  }

  /** Now, oldest first. */
  get flows(): ReadonlySet<TcpFlow> {
    return this.#flows;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Accepts clients at a literal address; an empty host is every address. Throws a SluiceError. */
  listen(at: HostPort): Listener {
    return this.transport.listen(at, (client) => this.#accept(client));
  }

  /** Lets timeouts happen; to be called every `tickMs` or so, after the context's clock has moved. */
  tick(): void {
    const { nowMs } = this.context;
    for (const flow of this.#flows) flow.tick(nowMs);
  }

  /** Lets those who wait have the room that has appeared. */
  admit(): void {
    this.#waiting.admit(tryAgain, this.#speaksForAll);
  }

  /** Ends the flows of one backend, or all of them. */
  endFlows(backend?: Backend): void {
    for (const flow of this.#flows) {
      if (backend === undefined || flow.backend === backend) flow.end();
    }
  }

  /** All flows by backend, with up to `examples` of each. */
  groups(examples: number): BackendFlows[] {
    return groupByBackend(this.#flows, examples, (flow) => viewFlow(flow, this.context));
  }

  enqueue(flow: TcpFlow): boolean {
    return this.#waiting.enter(flow, this.context.limits.queueLength);
  }

  leave(flow: TcpFlow): void {
    this.#flows.delete(flow);
    if (flow.state === 'queued') this.#waiting.leave(flow);
  }

  #accept(client: Stream): void {
    this.context.connections++;
    const flow = new TcpFlow(this, client);
    this.#flows.add(flow);
    flow.begin();
  }
}

function tryAgain(flow: TcpFlow): boolean {
  return flow.tryAgain();
}
