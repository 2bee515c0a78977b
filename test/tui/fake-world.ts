/** An instance that answers as a test says. */
import type { ReachableInstance } from '../../lib/control/reachable.ts';
import { askFlows, traceOf, worldAt } from './world.ts';

export class FakeWorld implements ReachableInstance {
  /** How long it has been running. */
  seconds = 100;
  pid = 4242;
  /** Every question and every order. */
  readonly asked: unknown[] = [];
  /** Thrown instead of any answer. */
  obstacle: Error | undefined;
  logged = 3;

  #world = worldAt('ipv4', 0);
  #worldSeconds = 0;

  #look() {
    if (this.obstacle !== undefined) throw this.obstacle;
    if (this.#worldSeconds !== this.seconds) {
      this.#worldSeconds = this.seconds;
      this.#world = worldAt('ipv4', this.seconds);
    }
    return this.#world;
  }

  async status() {
    this.asked.push('status');
    return { ...this.#look().status, pid: this.pid };
  }

  async backends() {
    return this.#look().backends;
  }

  async flows(query: Parameters<ReachableInstance['flows']>[0]) {
    this.asked.push(['flows', query.sort, query.limit]);
    return askFlows(this.#look().flows, query);
  }

  async history(steps: number) {
    const { stepMs, steps: all } = this.#look().history;
    return { stepMs, steps: all.slice(-steps) };
  }

  async log(after: number) {
    this.asked.push(['log', after]);
    return {
      entries: this.#look()
        .log.slice(0, this.logged)
        .filter(({ sequence }) => sequence > after),
    };
  }

  async trace(flow: Parameters<ReachableInstance['trace']>[0]) {
    this.asked.push(['trace', flow.clientPort]);
    return traceOf(this.#look().flows.find(({ client }) => client.endsWith(`:${flow.clientPort}`))!);
  }

  async patchBackend(...order: Parameters<ReachableInstance['patchBackend']>) {
    this.asked.push(['patch', ...order]);
    if (this.obstacle !== undefined) throw this.obstacle;
    return [];
  }
}
