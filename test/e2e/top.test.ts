/**
 *   a person ──keys──▶ tmux ──▶ sluice top ──socket──▶ sluice proxy ──▶ nginx
 *            ◀─screen──
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Listener } from '../support/listener.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { Person } from '../support/tmux.ts';
import { missing } from '../support/tools.ts';
import { urlOf } from './support.ts';

const small = { columns: 80, rows: 24 } as const;
const command = `'${process.execPath}' '${entry}'`;

const directory = scratch();
after(() => directory.remove());

/** Pids of processes whose command line has the text. */
function pidsOf(text: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[0] === process.execPath && words.join(' ').includes(text);
      } catch {
        return false;
      }
    });
}

describe('sluice top', { skip: missing('tmux', 'nginx') }, () => {
  const control = join(directory.path, 'edge.sock');
  const top = `${command} top --control ${control}`;
  let origin: Listener;
  let instance: Sluice;

  const startInstance = () =>
    sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`, '--control', control, '--drain', '0s']);
  const ask = async (count: number) => {
    for (let done = 0; done < count; done++) await (await fetch(urlOf(instance))).text();
  };

  before(async () => {
    origin = await nginxOrigin();
    instance = await startInstance();
    await ask(5);
  });
  after(async () => {
    await instance.stop();
    await origin.stop();
  });

  it('shows an instance that runs elsewhere, and leaves the terminal as it was', async () => {
    using person = new Person(small);
    person.type(`echo before; ${top} --view backends; echo exit $?`);
    await person.sees(new RegExp(`Backends ─[\\s\\S]*127\\.0\\.0\\.1:${origin.port} +proxy +up`));
    person.press('q');
    await person.sees(/before\nexit 0/);
    await person.isUsable();
  });

  it('waits for an instance that was killed, and goes on with the next', async () => {
    using person = new Person(small);
    person.type(top);
    await person.sees(/● live/);
    instance.kill('SIGKILL');
    await person.sees(/○ gone for \d+s, looking for it/);
    await instance.stop();
    instance = await startInstance();
    await person.sees(/● live/);
    await ask(3);
    await person.sees(/up \d+s[\s\S]*proxy +proxy +tcp:\/\/127\.0\.0\.1:\d+ +1\/1/);
    person.press('q');
    await person.isUsable();
  });

  it('gives the terminal back when it is ended by a signal, and when it is killed', async () => {
    using person = new Person(small);
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
      person.type(`clear; ${top}`);
      await person.sees(/● live/);
      const [pid] = pidsOf(`top --control ${control}`);
      process.kill(pid!, signal);
      await person.isUsable();
    }
    assert.deepEqual(pidsOf(`top --control ${control}`), []);
  });

  it('gives the terminal back and says so when it breaks', async () => {
    const nonsense = createServer((_request, response) => response.end('{"name":"x","services":7}'));
    const socket = join(directory.path, 'nonsense.sock');
    nonsense.listen(socket);
    await once(nonsense, 'listening');
    try {
      using person = new Person(small);
      person.type(`${command} top --control ${socket}; echo exit $?`);
      await person.sees(/sluice: internal error: .*[\s\S]*exit 1/);
      await person.isUsable();
    } finally {
      nonsense.closeAllConnections();
      nonsense.close();
    }
  });

  it('is in colour, or in none where that is refused', async () => {
    const hasColour = (person: Person) =>
      new RegExp(`${String.fromCharCode(27)}\\[(?:\\d+;)*3[1-6]m`).test(person.looks());
    for (const [environment, flags, expected] of [
      ['env -u NO_COLOR', '', true],
      ['NO_COLOR=1', '', false],
      ['FORCE_COLOR=0', '', false],
      ['env -u NO_COLOR', '--no-color', false],
    ] as const) {
      using person = new Person(small);
      person.type(`${environment} ${top} ${flags}`);
      await person.sees(/● live[\s\S]*proxy +proxy/);
      assert.equal(hasColour(person), expected, `${environment} ${flags}`);
    }
  });

  it('prints lines on a terminal that cannot draw', async () => {
    using person = new Person(small);
    person.type(`TERM=dumb ${top} --for 2s; echo exit $?`);
    await person.sees(/(?:\d\d:\d\d:\d\d {2}flows \d+ {2}new \S+\/s.*\n){2}[\s\S]*exit 0/);
    assert.ok(person.isAtShell());
  });

  it('prints a line of numbers a second where there is no terminal', async () => {
    const { code, stdout } = await runSluice(['top', '--control', control, '--for', '2s']);
    assert.equal(code, 0);
    const lines = stdout.trimEnd().split('\n');
    assert.ok(lines.length >= 2, stdout);
    for (const line of lines) {
      assert.match(
        line,
        /^\d\d:\d\d:\d\d {2}flows \d+ {2}new \S+ {2}in .+ {2}out .+ {2}drops \S+ {2}up 1\/1$/,
      );
    }
  });

  it('prints events for scripts, the log among them', async () => {
    const running = runSluice(['top', '--control', control, '--json', '--for', '4s']);
    await delay(1_500);
    await runSluice(['drain', `127.0.0.1:${origin.port}`, '--control', control]);
    await runSluice(['enable', `127.0.0.1:${origin.port}`, '--control', control]);
    const { stdout } = await running;
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(new Set(events.map(({ event }) => event)), new Set(['traffic', 'log']));
    assert.ok(events.some(({ fields }) => fields?.state === 'draining'));
    const [traffic] = events;
    assert.deepEqual([traffic.instance, traffic.backends], ['proxy', 1]);
  });

  it('draws a picture, of the view and the size that are asked for', async () => {
    const file = join(directory.path, 'top.svg');
    const flags = ['--snapshot', file, '--view', 'backends', '--size', '100x20'];
    assert.equal((await runSluice(['top', '--control', control, ...flags])).code, 0);
    const picture = readFileSync(file, 'utf8');
    assert.match(picture, /^<svg [^>]*viewBox="0 0 928 408"/);
    assert.ok(picture.includes(`127.0.0.1:${origin.port}`));
    for (const [flag, value, words] of [
      ['--size', '100', /is not a size — write COLUMNSxROWS/],
      ['--size', '10x10', /out of range/],
      ['--snapshot', '/nowhere/top.svg', /cannot be written to \/nowhere\/top\.svg \(ENOENT\)/],
    ] as const) {
      const { code, stderr } = await runSluice([
        'top',
        '--control',
        control,
        '--snapshot',
        file,
        flag,
        value,
      ]);
      assert.notEqual(code, 0);
      assert.match(stderr, words);
    }
  });

  it('says that there is no instance, where none has ever been', async () => {
    using person = new Person(small);
    person.type(`${command} top --control ${directory.path}/none.sock; echo exit $?`);
    await person.sees(/no instance answers at .*[\s\S]*exit 5/);
  });
});

describe('the dashboard inside an instance', { skip: missing('tmux') }, () => {
  const brokenDashboard = fileURLToPath(new URL('./fixtures/broken-dashboard.ts', import.meta.url));
  const proxy = (name: string) =>
    `${command} proxy 127.0.0.1:0 127.0.0.1:9 --check none --control ${directory.path}/${name}.sock`;

  it('gives the terminal back when the instance is killed', async () => {
    using person = new Person(small);
    person.type(proxy('killed'));
    await person.sees(/● live/);
    process.kill(pidsOf('killed.sock')[0]!, 'SIGKILL');
    await person.isUsable();
  });

  it('asks before it stops the instance', async () => {
    using person = new Person(small);
    person.type(`${proxy('asked')}; echo exit $?`);
    await person.sees(/● live/);
    person.press('q');
    await person.sees(/Stop proxy\? {2}y yes {2}n no/);
    person.press('n');
    await person.sees(/q quit/);
    person.press('q', 'y');
    await person.sees(/exit 0/);
    await person.isUsable();
  });

  it('breaks alone: the instance goes on', async () => {
    using person = new Person(small);
    person.type(`clear; '${process.execPath}' --import tsx '${brokenDashboard}'`);
    await person.sees(/the dashboard broke: TypeError\nthe instance goes on/);
    await person.isUsable();
  });

  it('gives the terminal back when the instance breaks, with the words of the error on it', async () => {
    using person = new Person(small);
    person.type(`clear; '${process.execPath}' --import tsx '${brokenDashboard}' process; echo exit $?`);
    await person.sees(/RangeError: a defect of the instance[\s\S]*exit 1/);
    await person.until('the screen is given back', () => person.isAtShell());
    person.type('echo later');
    await person.sees(/RangeError: a defect of the instance[\s\S]*exit 1\n.*echo later\nlater/);
    await person.isUsable();
  });

  it('is not shown by who runs in the background, nor where lines are asked for', async () => {
    using person = new Person(small);
    person.type(`set -m; ${proxy('back')} --for 3s & sleep 2; jobs; wait; echo exit $?`);
    await person.sees(/Running[\s\S]*exit 0/);
    assert.ok(person.isAtShell());
    person.type(`clear; ${proxy('lines')} --no-tui --for 1s; echo exit $?`);
    await person.sees(/sluice: ready[\s\S]*exit 0/);
  });
});
