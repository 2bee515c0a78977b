/**
 * What every key of the dashboard does, whatever the mode of the instance and wherever the dashboard is: tests for a user
 * at a terminal of 80×24, all but `q` and `ctrl-c`, which depend on where it is.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ControlClient } from '../../lib/control/client.ts';
import type { DashboardUser } from './dashboard-user.ts';

export interface DashboardUnderTest {
  /** Looks at it; has flows and backends before the first test. */
  readonly user: () => DashboardUser;
  readonly instance: ControlClient;
  /** Its only service. */
  readonly service: string;
  /** All of its weight 1 and up. */
  readonly backendCount: number;
  /** What the details of a flow say of why it is where it is. */
  readonly why: RegExp;
}

/** Registers the tests. */
export function testKeys({ user, instance, service, backendCount, why }: DashboardUnderTest): void {
  it('goes from view to view, by number, by tab and by name', async () => {
    user().press('2');
    await user().sees(/CLIENT +BACKEND +STATE/);
    user().press('3');
    await user().sees(/BACKEND +SERVICE▲ +STATE/);
    user().press('4');
    await user().sees(/Log ─/);
    user().press('1');
    await user().sees(/Traffic ─/);
    user().press('tab', 'tab');
    await user().sees(/Backends ─/);
    user().press('shift-tab');
    await user().sees(/Flows ─/);
    user().press(':');
    await user().sees(/: .*overview, flows, backends, log/);
    user().answer('backends');
    await user().sees(/Backends ─/);
    user().press(':');
    user().answer('nowhere');
    await user().says('there is no view "nowhere"');
    user().press('escape');
  });

  it('moves through a list with every key for it', async () => {
    user().press('3');
    await user().sees(/Backends ─[\s\S]*q quit/);
    const names = user().names(backendCount);
    const last = backendCount - 1;
    const moves = [
      ['j', 1],
      ['k', 0],
      ['down', 1],
      ['up', 0],
      ['pagedown', last],
      ['pageup', 0],
      ['ctrl-f', last],
      ['ctrl-b', 0],
      ['G', last],
      ['g', 0],
      ['end', last],
      ['home', 0],
    ] as const;
    for (const [key, row] of moves) {
      user().press(key);
      await user().until(`${key} leads to row ${row}`, () => user().chosen() === names[row]!);
    }
  });

  it('sorts by another column, and in reverse', async () => {
    user().press('3', '>');
    await user().sees(/STATE▲/);
    user().press('<');
    await user().sees(/SERVICE▲/);
    user().press('r');
    await user().sees(/SERVICE▼/);
    user().press('r', 'right');
    await user().sees(/STATE▲/);
    user().press('left');
    await user().sees(/SERVICE▲/);
  });

  it('filters by what is written, and takes the filter back', async () => {
    user().press('2', '/');
    user().answer('port:1');
    await user().sees(/No flow fits the filter/);
    user().press('escape');
    await user().sees(/established/);
    user().press('/');
    user().answer('port:x');
    await user().sees(/"x" is no port/);
    user().press('escape');
    await user().sees(/q quit/);
  });

  it('tells why a flow is with its backend', async () => {
    user().press('2', 'enter');
    await user().sees(/Why this backend ─/);
    await user().sees(why);
    user().press('escape');
    await user().until('the details are closed', () => !/Why this backend/.test(user().screen()));
  });

  it('drains, enables and weighs a backend, when the question is answered', async () => {
    user().press('p', '3', 'g');
    await user().sees(/‖ paused[\s\S]*Backends ─/);
    const name = user().chosen();
    const backend = async () => (await instance.backends()).find((each) => each.name === name);
    assert.ok(await backend(), name);
    user().press('w');
    await user().says(`Weight of ${name}, now 1:`);
    user().answer('7');
    await user().says(`${name} has weight 7`);
    assert.equal((await backend())!.weight, 7);
    user().press('d');
    await user().says(`Drain ${name} of ${service}?`);
    user().press('n');
    await user().sees(/q quit/);
    user().press('d');
    await user().says(`Drain ${name} of ${service}?`);
    user().press('y');
    await user().says(`${name} is draining`);
    user().press('e');
    await user().says(`Enable ${name} of ${service}?`);
    user().press('y');
    await user().says(`${name} is enabled`);
    // The demo drains backends too, and enables them again.
    const { entries } = await instance.log(0);
    const states = entries.flatMap(({ fields: { backend: of, state } }) => (of === name ? [state] : []));
    assert.ok(states.lastIndexOf('up') > states.indexOf('draining'), `${states}`);
    await instance.patchBackend(service, name, { weight: 1 });
  });

  it('pauses, and goes on', async () => {
    await user().sees(/‖ paused/);
    const uptime = () => /up (\S+)/.exec(user().screen())![1];
    const before = uptime();
    user().press('1', '3', '1');
    assert.equal(uptime(), before);
    user().press('p');
    await user().sees(/● live/);
    await user().until('time goes on', () => uptime() !== before);
  });

  it('has in its log what was done', async () => {
    user().press('4');
    await user().sees(/info {2}backend set .*state=draining/);
    user().press('enter');
    await user().sees(/Line ─[\s\S]*said {4}\S/);
    user().press('escape');
    await user().until('the details are closed', () => !/Line ─/.test(user().screen()));
  });

  it('draws the screen again', async () => {
    user().press('1');
    await user().sees(/Services/);
    user().press('ctrl-l');
    await user().sees(/Services/);
  });

  it('shows its keys', async () => {
    user().press('?');
    await user().sees(/any key closes this[\s\S]*Filters/);
    user().press('x');
    await user().sees(/Traffic/);
  });

  it('goes along with the size of the terminal', async () => {
    for (const size of [
      { columns: 200, rows: 60 },
      { columns: 60, rows: 15 },
      { columns: 80, rows: 24 },
    ]) {
      user().resize(size);
      await user().until(`it fills ${size.columns}x${size.rows}`, () => {
        const lines = user().lines();
        return lines[0]!.length === size.columns - 1 && /q quit/.test(lines[size.rows - 1] ?? '');
      });
      assert.equal(
        user()
          .lines()
          .filter((line) => line.includes('● live')).length,
        1,
      );
    }
  });
}
