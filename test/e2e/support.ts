/** What the end-to-end tests share: asking a running sluice, waiting for what must come, counting what failed. */
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../lib/control/client.ts';
import { parseListen } from '../../lib/model/address.ts';
import type { BackendView, ServiceView } from '../../lib/model/view.ts';
import type { Sluice } from '../support/sluice.ts';
import type { HttpAnswers } from '../support/wrk.ts';

/** Far beyond what anything takes on a busy machine. */
const patienceMs = 30_000;

/** Resolves once `condition` holds; rejects, saying what did not come, when it takes far too long. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = patienceMs,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain until ${what}`);
    await delay(20);
  }
}

/** A figure once it stands still: a process that has just started still opens and closes files of its own. */
export async function settled(figure: () => number): Promise<number> {
  for (let last = figure(); ; ) {
    await delay(500);
    const now = figure();
    if (now === last) return now;
    last = now;
  }
}

/** The port that the first service of an instance was given. */
export function portOf({ ready }: Sluice): number {
  return parseListen(ready.services[0]!.listen).port;
}

export function urlOf(instance: Sluice): string {
  return `http://127.0.0.1:${portOf(instance)}/`;
}

/** A running instance with one service, as its control socket tells it. */
export class Inspector {
  readonly control: ControlClient;

  constructor({ ready }: Sluice) {
    this.control = new ControlClient(ready.control);
  }

  async service(): Promise<ServiceView> {
    return (await this.control.status()).services[0]!;
  }

  /** The backend at that port of the loopback; undefined when there is none. */
  async findBackend(port: number): Promise<BackendView | undefined> {
    return (await this.control.backends()).find(({ address }) => address === `127.0.0.1:${port}`);
  }

  async backend(port: number): Promise<BackendView> {
    const found = await this.findBackend(port);
    if (found === undefined) throw new Error(`there is no backend at port ${port}`);
    return found;
  }

  /** Whose flows there are, oldest first. */
  async clients(): Promise<string[]> {
    return (await this.control.flows({ limit: 1_000 })).flows.map(({ client }) => client);
  }

  async untilFlows(count: number): Promise<void> {
    await until(`there are ${count} flows`, async () => (await this.service()).flows === count);
  }
}

/** How many requests failed, in whatever way. */
export function failures({ errors }: HttpAnswers): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/** Loads again and again for as long as `action` takes, and says how many requests failed. */
export async function failuresDuring(
  action: () => Promise<void>,
  load: () => Promise<HttpAnswers>,
): Promise<number> {
  let under = true;
  const loaded = (async () => {
    let failed = 0;
    while (under) failed += failures(await load());
    return failed;
  })();
  try {
    await action();
  } finally {
    under = false;
    await loaded;
  }
  return loaded;
}
