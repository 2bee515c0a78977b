/**
 *   a person ──keys──▶ tmux ──▶ sluice demo, and its dashboard inside
 *            ◀─screen──
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ControlClient } from '../../lib/control/client.ts';
import { bindings } from '../../lib/tui/keys.ts';
import { scratch } from '../support/scratch.ts';
import { entry } from '../support/sluice.ts';
import { Person } from '../support/tmux.ts';
import { missing } from '../support/tools.ts';

const directory = scratch();
after(() => directory.remove());

const sluice = `'${process.execPath}' '${entry}'`;

/** ECMA-48 §8.3.117, among other parameters perhaps. */
const inverse = new RegExp(`${String.fromCharCode(27)}\\[(?:\\d+;)*7m`);

/** The names that tmux has for keys, where they are others than ours. */
const tmuxNames: Readonly<Record<string, string>> = {
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  pageup: 'PageUp',
  pagedown: 'PageDown',
  home: 'Home',
  end: 'End',
  enter: 'Enter',
  escape: 'Escape',
  tab: 'Tab',
  'shift-tab': 'BTab',
  'ctrl-b': 'C-b',
  'ctrl-f': 'C-f',
  'ctrl-l': 'C-l',
  'ctrl-c': 'C-c',
};

describe('the dashboard inside sluice demo', { skip: missing('tmux') }, () => {
  const control = join(directory.path, 'demo.sock');
  const instance = new ControlClient(control);
  const pressed = new Set<string>();
  let person: Person;

  /** Presses a key by our own name for it. */
  const press = (...keys: readonly string[]): void => {
    for (const key of keys) {
      pressed.add(key);
      person.press(tmuxNames[key] ?? key);
    }
  };

  /** The line that is chosen, which is the only one in inverse video below the tabs. */
  const chosen = (): string => {
    const lines = person.looks().split('\n');
    const row = lines.findIndex((line, index) => index > 2 && inverse.test(line));
    return person.lines()[row]?.trim() ?? '';
  };

  before(async () => {
    person = new Person({ columns: 80, rows: 24 });
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

  it('goes from view to view, by number, by tab and by name', async () => {
    press('2');
    await person.sees(/CLIENT +BACKEND +STATE/);
    press('3');
    await person.sees(/BACKEND +SERVICE▲ +STATE/);
    press('4');
    await person.sees(/info {2}backend set/);
    press('1');
    await person.sees(/Traffic ─/);
    press('tab', 'tab');
    await person.sees(/Backends ─/);
    press('shift-tab');
    await person.sees(/Flows ─/);
    press(':');
    await person.sees(/: .*overview, flows, backends, log/);
    person.write('backends');
    press('enter');
    await person.sees(/Backends ─/);
  });

  it('moves through a list with every key for it', async () => {
    press('3');
    await person.sees(/Backends ─/);
    const rows = person
      .lines()
      .slice(4, 7)
      .map((line) => line.trim().split(' ')[0]!);
    const moves = [
      ...[
        ['j', 1],
        ['k', 0],
        ['down', 1],
        ['up', 0],
        ['pagedown', 2],
        ['pageup', 0],
        ['ctrl-f', 2],
        ['ctrl-b', 0],
      ],
      ...[
        ['G', 2],
        ['g', 0],
        ['end', 2],
        ['home', 0],
      ],
    ] as const;
    for (const [key, row] of moves) {
      press(key);
      await person.until(`${key} leads to row ${row}`, () => chosen().startsWith(rows[row]!));
    }
  });

  it('sorts by another column, and in reverse', async () => {
    press('3', '>');
    await person.sees(/STATE▲/);
    press('<');
    await person.sees(/SERVICE▲/);
    press('r');
    await person.sees(/SERVICE▼/);
    press('r', 'right');
    await person.sees(/STATE▲/);
    press('left');
    await person.sees(/SERVICE▲/);
  });

  it('filters by what is written, and takes the filter back', async () => {
    press('2', '/');
    person.write('port:1');
    press('enter');
    await person.sees(/No flow fits the filter/);
    press('escape');
    await person.sees(/established/);
    press('/');
    person.write('port:x');
    press('enter');
    await person.sees(/"x" is no port/);
    press('escape');
    await person.sees(/q quit/);
  });

  it('tells why a flow is with its backend', async () => {
    press('2', 'enter');
    await person.sees(/Why this backend ─[\s\S]*policy {2}round-robin[\s\S]*epoch {3}\d+/);
    press('escape');
    await person.until('the details are closed', () => !/Why this backend/.test(person.screen()));
  });

  it('drains, enables and weighs a backend, when the question is answered', async () => {
    press('p', '3', 'g');
    await person.sees(/‖ paused[\s\S]*Backends ─/);
    const names = (await instance.backends()).map(({ name: each }) => each);
    const under = () => chosen().split(' ')[0]!;
    await person.until('a backend is chosen', () => names.includes(under()));
    const name = under();
    press('w');
    await person.sees(new RegExp(`Weight of ${name}, now 1:`));
    person.write('7');
    press('enter');
    await person.sees(new RegExp(`${name} has weight 7`));
    assert.equal((await instance.backends()).find((each) => each.name === name)!.weight, 7);
    press('d');
    await person.sees(new RegExp(`Drain ${name} of demo\\?`));
    person.press('n');
    await person.sees(/q quit/);
    press('d');
    person.press('y');
    await person.sees(new RegExp(`${name} is draining`));
    press('e');
    person.press('y');
    await person.sees(new RegExp(`${name} is enabled`));
    const said = (await instance.log(0)).entries.filter(({ fields: { backend: of } }) => of === name);
    assert.ok(said.some(({ fields: { state } }) => state === 'draining'));
  });

  it('pauses, and goes on', async () => {
    await person.sees(/‖ paused/);
    const uptime = () => /up (\S+)/.exec(person.screen())![1];
    const before = uptime();
    press('1', '3', '1');
    assert.equal(uptime(), before);
    press('p');
    await person.sees(/● live/);
    await person.until('time goes on', () => uptime() !== before);
  });

  it('draws the screen again', async () => {
    press('1');
    await person.sees(/Services/);
    press('ctrl-l');
    await person.sees(/Services/);
  });

  it('shows its keys', async () => {
    press('?');
    await person.sees(/any key closes this[\s\S]*Filters/);
    person.press('x');
    await person.sees(/Traffic/);
  });

  it('goes along with the size of the terminal', async () => {
    for (const size of [
      { columns: 200, rows: 60 },
      { columns: 60, rows: 15 },
      { columns: 80, rows: 24 },
    ]) {
      person.resize(size);
      await person.until(`it fills ${size.columns}x${size.rows}`, () => {
        const lines = person.lines();
        return lines[0]!.length === size.columns - 1 && /q quit/.test(lines[size.rows - 1] ?? '');
      });
      assert.equal(person.lines().filter((line) => line.includes('● live')).length, 1);
    }
  });

  it('stops the demo, and gives the screen back with a summary', async () => {
    press('q');
    await person.sees(/requests in .*, 0 errors/);
    await person.isUsable();
  });

  it('drains at the first Ctrl-C', async () => {
    person.type(`clear; ${sluice} demo --control ${control}; echo exit $?`);
    await person.sees(/● live/);
    press('ctrl-c');
    await person.sees(/requests in [\s\S]*exit 0/);
    await person.isUsable();
  });

  it('was tried with every key that it knows', () => {
    const known = bindings.flatMap(({ keys }) => keys);
    assert.deepEqual(
      known.filter((key) => !pressed.has(key)),
      [],
    );
  });
});
