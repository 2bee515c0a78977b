/**
 * Every key of the dashboard in its two places, for an instance that has packets to carry: inside of it, and in
 * `sluice top` beside it; and the terminal after each way to end.
 *
 *   one ──keys──▶ tmux ──▶ sluice nat, or dsr ══▶ packets
 *   other ──keys──▶ tmux ──▶ sluice top ──socket──▲
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ControlClient } from '../../lib/control/client.ts';
import { entry, runSluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { testKeys } from './dashboard-keys.ts';
import { DashboardUser } from './dashboard-user.ts';
import { untilWell } from './dsr-support.ts';
import type { Clients } from './nat-cli.ts';

export interface Carrier {
  readonly mode: 'nat' | 'dsr';
  /** What follows the command: the VIP and two backends. */
  readonly service: readonly string[];
  readonly control: string;
  /** What the backends need. Not a hook beside the one here: both would run at once. */
  readonly prepare: () => Promise<void>;
  /** Begins the traffic, once the instance is ready; whoever asks for it ends it. */
  readonly startClients: () => Promise<Clients>;
}

const command = `'${process.execPath}' '${entry}'`;
const backendCount = 2;
const why = /policy {2}maglev[\s\S]*slot {4}[\d,]+ of 65,537[\s\S]*epoch {3}\d+/;

/** Registers the tests. */
export function testPlaces({ mode, service, control, prepare, startClients }: Carrier): void {
  const start = `${command} ${mode} ${service.join(' ')} --control ${control}`;
  const top = `${command} top --control ${control}`;
  const instance = new ControlClient(control);
  let inside: DashboardUser;
  let clients: Clients;

  before(async () => {
    await prepare();
    inside = new DashboardUser();
    await startThere();
    clients = await startClients();
  });
  after(async () => {
    await clients[Symbol.asyncDispose]();
    await instance.close();
    inside[Symbol.dispose]();
    await runSluice(['doctor', '--clean']);
  });

  /** Starts the instance in the window of `inside`, and waits until its backends are well. */
  async function startThere(): Promise<void> {
    inside.type(`clear; ${start}; echo exit $?`);
    await inside.sees(new RegExp(`● live[\\s\\S]* ${backendCount}/${backendCount} `));
    await untilWell(control);
  }

  describe(`the dashboard inside sluice ${mode}`, { skip: missing('tmux') }, () => {
    it('shows what comes and goes, and the service', async () => {
      await inside.sees(/packets in +[1-9]\S*\/s[\s\S]*bits in +[\d.]+ [kM]bit\/s/);
      const answers = /bits out +[\d.]+ [kM]bit\/s[\s\S]*OUT bit\/s/;
      if (mode === 'nat') await inside.sees(answers);
      else assert.doesNotMatch(inside.screen(), /bits out|OUT/);
    });

    testKeys({ user: () => inside, instance, service: mode, backendCount, why });
  });

  describe(`sluice top beside sluice ${mode}`, { skip: missing('tmux') }, () => {
    let other: DashboardUser;

    before(async () => {
      other = new DashboardUser();
      other.type(top);
      await other.sees(/● live/);
    });
    after(() => other[Symbol.dispose]());

    testKeys({ user: () => other, instance, service: mode, backendCount, why });

    it('leaves without a word, by q and by Ctrl-C, and the instance goes on', async () => {
      for (const key of ['q', 'ctrl-c']) {
        other.press(key);
        await other.isUsable();
        other.type(`clear; ${top}`);
        await other.sees(/● live/);
      }
    });

    it('was tried with every key that it knows', () => assert.deepEqual(other.untried(), []));
  });

  describe(`the end of sluice ${mode} with a dashboard`, { skip: missing('tmux') }, () => {
    it('is asked about, and comes at the second Ctrl-C while clients hold on', async () => {
      inside.press('q');
      await inside.says(`Stop ${mode}?`);
      inside.press('n');
      await inside.sees(/q quit/);
      inside.press('q');
      await inside.says(`Stop ${mode}?`);
      inside.press('y');
      await inside.sees(/waits for \d+ flows? to end/);
      inside.press('ctrl-c');
      await inside.sees(/exit 0/);
      await inside.isUsable();
    });

    it('was tried with every key that it knows', () => assert.deepEqual(inside.untried(), []));

    it('leaves the terminal well when it comes by SIGTERM', async () => {
      await startThere();
      process.kill((await instance.status()).pid, 'SIGTERM');
      await inside.sees(/exit 0/);
      await inside.isUsable();
    });

    it('leaves both terminals well when it comes by SIGKILL, and sluice top waits for the next', async () => {
      await startThere();
      using other = new DashboardUser();
      other.type(top);
      await other.sees(/● live/);
      process.kill((await instance.status()).pid, 'SIGKILL');
      await inside.isUsable();
      await other.sees(/○ gone for \d+s, looking for it/);
      await startThere();
      await other.sees(/● live/);
      other.press('q');
      await other.isUsable();
      inside.press('q', 'y');
      await inside.isUsable();
    });
  });
}
