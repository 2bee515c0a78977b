/**
 *   a person ──keys──▶ tmux ──▶ sluice demo, and its dashboard inside
 *            ◀─screen──
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ControlClient } from '../../lib/control/client.ts';
import { scratch } from '../support/scratch.ts';
import { entry } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { testKeys } from './dashboard-keys.ts';
import { DashboardUser } from './dashboard-user.ts';

const directory = scratch();
after(() => directory.remove());

const sluice = `'${process.execPath}' '${entry}'`;

describe('the dashboard inside sluice demo', { skip: missing('tmux') }, () => {
  const control = join(directory.path, 'demo.sock');
  const instance = new ControlClient(control);
  let person: DashboardUser;

  before(async () => {
    person = new DashboardUser();
    person.type(`${sluice} demo --control ${control}`);
    await person.sees(/● live/);
  });
  after(async () => {
    await instance.close();
    person[Symbol.dispose]();
  });

  it('shows traffic, services, drops, and what to try', async () => {
    const screen = await person.sees(/new flows +\d+\/s +[▁-█]/);
    assert.match(screen, /bits out +[\d.]+ kbit\/s/);
    assert.match(screen, /demo +proxy +tcp:\/\/127\.0\.0\.1:\d+ +[23]\/3/);
    assert.match(screen, /nothing was dropped/);
    assert.match(screen, /curl http:\/\/127\.0\.0\.1:\d+ {2}· {2}sluice drain/);
  });

  testKeys({
    user: () => person,
    instance,
    service: 'demo',
    backendCount: 3,
    why: /policy {2}round-robin[\s\S]*epoch {3}\d+/,
  });

  it('stops the demo, and gives the screen back with a summary', async () => {
    person.press('q');
    await person.sees(/requests in .*, 0 errors/);
    await person.isUsable();
  });

  it('drains at the first Ctrl-C', async () => {
    person.type(`clear; ${sluice} demo --control ${control}; echo exit $?`);
    await person.sees(/● live/);
    person.press('ctrl-c');
    await person.sees(/requests in [\s\S]*exit 0/);
    await person.isUsable();
  });

  it('was tried with every key that it knows', () => {
    assert.deepEqual(person.untried(), []);
  });
});
