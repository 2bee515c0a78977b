/** What an instance has carried in each of the last seconds, for pictures of it. */
import type { HistoryStep, HistoryView, ServiceView } from '../model/view.ts';

const stepMs = 1_000;
const stepsKept = 300;

export class TrafficHistory {
  #steps: readonly HistoryStep[] = [];
  /** Totals since the start, at the last look. */
  #before: HistoryStep | undefined;
  #beforeMs = 0;
  #dueMs = Number.NEGATIVE_INFINITY;

  /** To be called more often than once a second: looks at the services where a second has passed. */
  observe(nowMs: number, services: () => readonly ServiceView[], strays: () => HistoryStep['dropped']): void {
    if (nowMs < this.#dueMs) return;
    // A look may come a little late, and none of them is to be missed for that.
    this.#dueMs = nowMs - this.#dueMs > stepMs ? nowMs + stepMs : this.#dueMs + stepMs;
    const totals = totalsOf(services(), strays());
    if (this.#before !== undefined) {
      const step = perStep(this.#before, totals, (nowMs - this.#beforeMs) / stepMs);
      this.#steps = [...this.#steps.slice(1 - stepsKept), step];
    }
    this.#before = totals;
    this.#beforeMs = nowMs;
  }

  /** The last `steps` of them at most. */
  view(steps: number): HistoryView {
    return { stepMs, steps: steps === 0 ? [] : this.#steps.slice(-steps) };
  }
}

function totalsOf(services: readonly ServiceView[], strays: number): HistoryStep {
  const sum = (of: (service: ServiceView) => number) =>
    services.reduce((total, service) => total + of(service), 0);
  const packets = (of: (service: ServiceView) => number | null) =>
    services.every((service) => of(service) === null) ? null : sum((service) => of(service) ?? 0);
  return {
    packetsIn: packets(({ packetsIn }) => packetsIn),
    packetsOut: packets(({ packetsOut }) => packetsOut),
    bytesIn: sum(({ bytesIn }) => bytesIn),
    bytesOut: sum(({ bytesOut }) => bytesOut ?? 0),
    connections: sum(({ connections }) => connections),
    dropped: strays + sum(({ dropped }) => Object.values(dropped).reduce((total, count) => total + count, 0)),
  };
}

/** A service that is gone takes its totals with it: what has become less counts as nothing. */
function perStep(before: HistoryStep, now: HistoryStep, steps: number): HistoryStep {
  const share = (from: number, to: number) => Math.round(Math.max(0, to - from) / steps);
  const known = (from: number | null, to: number | null) =>
    from === null || to === null ? null : share(from, to);
  return {
    packetsIn: known(before.packetsIn, now.packetsIn),
    packetsOut: known(before.packetsOut, now.packetsOut),
    bytesIn: share(before.bytesIn, now.bytesIn),
    bytesOut: share(before.bytesOut, now.bytesOut),
    connections: share(before.connections, now.connections),
    dropped: share(before.dropped, now.dropped),
  };
}
