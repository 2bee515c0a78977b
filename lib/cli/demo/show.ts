/**
 * The running part of the demonstration: traffic, and what is shown of it. Now and then a backend is drained for a
 * moment, to be seen losing its share while nobody loses a request.
 *
 *     |--- all three ---|--- one drains ---|--- all three ---|   a round; the next drains the next
 *     0               2.5 s              4.5 s              6 s
 */
import type { Controllable } from '../../control/controllable.ts';
import type { Terminal } from '../terminal.ts';
import { type Moment, momentEvent, momentLine, summaryLines } from './moment.ts';
import { Tally } from './tally.ts';
import { startTraffic } from './traffic.ts';

const tickMs = 100;
const secondMs = 1_000;
const roundMs = 6_000;
const drainAtMs = 2_500;
const enableAtMs = 4_500;

export interface ShowOptions {
  readonly instance: Controllable;
  readonly terminal: Terminal;
  readonly json: boolean;
  /** A dashboard shows what there is to see until the summary. */
  readonly isSilent: boolean;
}

export interface Show {
  /** Ends the traffic and prints the summary. */
  end(): void;
}

/** Begins at once; the traffic ends by itself when the instance begins to stop. */
export function startShow({ instance, terminal, json, isSilent }: ShowOptions): Show {
  const { listen } = instance.status().services[0]!;
  const addresses = instance.backends().map(({ name }) => name);
  const startedMs = performance.now();
  const tally = new Tally();
  const traffic = startTraffic(listen.replace('tcp:', 'http:'), tally, () => instance.ready);
  let drained: string | undefined;
  let seconds = 0;
  let requestsBefore = 0;
  let requestsPerSecond = 0;
  let endedMs: number | undefined;

  const moment = (): Moment => ({
    elapsedMs: (endedMs ?? performance.now()) - startedMs,
    requestsPerSecond,
    tally,
    backends: instance.backends(),
  });

  const tick = () => {
    if (!instance.ready) {
      endTraffic();
      return;
    }
    const elapsedMs = performance.now() - startedMs;
    const draining = drainingAt(elapsedMs, addresses);
    if (draining !== drained) {
      if (drained !== undefined) instance.patchBackend(undefined, drained, { state: 'enabled' });
      if (draining !== undefined) instance.patchBackend(undefined, draining, { state: 'draining' });
      drained = draining;
    }
    const isNewSecond = Math.floor(elapsedMs / secondMs) > seconds;
    if (isNewSecond) {
      seconds = Math.floor(elapsedMs / secondMs);
      requestsPerSecond = tally.requests - requestsBefore;
      requestsBefore = tally.requests;
    }
    if (!isNewSecond || isSilent) return;
    if (json) terminal.print(JSON.stringify(momentEvent('traffic', moment())));
    else terminal.print(momentLine(moment()));
  };
  const timer = setInterval(tick, tickMs);

  const endTraffic = () => {
    endedMs ??= performance.now();
    clearInterval(timer);
    traffic.stop();
  };

  return {
    end() {
      endTraffic();
      if (json) terminal.print(JSON.stringify(momentEvent('summary', moment())));
      else summaryLines(moment(), terminal.out).forEach(terminal.print);
    },
  };
}

/** The backend whose turn it is to be drained, if it is anybody's. */
function drainingAt(elapsedMs: number, addresses: readonly string[]): string | undefined {
  const inRoundMs = elapsedMs % roundMs;
  if (inRoundMs < drainAtMs || inRoundMs >= enableAtMs) return undefined;
  return addresses[Math.floor(elapsedMs / roundMs) % addresses.length];
}
