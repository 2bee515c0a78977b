/**
 * The dashboard inside `sluice up` with services of mode nat, in the network of nat-support.ts, with clients of both
 * families that talk all the time.
 *
 *   a person ──keys──▶ tmux ──▶ sluice up ══▶ packets of clients and backends
 *            ◀─screen──
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../lib/control/client.ts';
import { inside } from '../support/inside-netns.ts';
import { busiestThread } from '../support/proc.ts';
import { entry, runSluice } from '../support/sluice.ts';
import { Person } from '../support/tmux.ts';
import { missing } from '../support/tools.ts';
import { type Clients, commandLine, edgeConfiguration, startClients } from './nat-cli.ts';
import { natNetwork, startOrigin, startProgram } from './nat-support.ts';

const stopThread = fileURLToPath(new URL('./fixtures/stop-thread.py', import.meta.url));

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  describe('the dashboard inside the packet path', { skip: missing('tmux') }, () => {
    const { directory, control, untilBackend } = commandLine();
    const instance = new ControlClient(control);
    const file = join(directory.path, 'edge.yaml');
    const command = `'${process.execPath}' '${entry}'`;
    let person: Person;
    let clients: Clients;

    before(async () => {
      for (const name of ['one', 'two'] as const) await startOrigin(network, name);
      writeFileSync(file, edgeConfiguration({}));
      person = new Person({ columns: 140, rows: 30 });
      person.type(`${command} up -f ${file} --control ${control}`);
      await person.sees(/● live/);
      await untilBackend('10.2.0.2:9004', 'up');
      await untilBackend('[fd03::2]:5300', 'up');
      clients = await startClients(network, 4);
    });
    after(async () => {
      await clients[Symbol.asyncDispose]();
      await instance.close();
      person[Symbol.dispose]();
      await runSluice(['doctor', '--clean']);
      directory.remove();
    });

    it('shows packets, bits and new flows as they come', async () => {
      await person.sees(
        /packets in +[1-9]\d*\/s[\s\S]*packets out +[1-9]\d*\/s[\s\S]*bits in +[\d.]+ kbit\/s/,
      );
      await person.sees(/udp +nat +\S+:5300, \S+:5300 +maglev +4\/4/);
    });

    it('shows the flows of both families, with what they carry both ways', async () => {
      person.press('2');
      await person.sees(
        /tcp +10\.1\.0\.2:\d+ +10\.9\.0\.1:9004 +10\.\d\.0\.2:9004 +tcp +established.* [\d.]+k +[\d.]+k/,
      );
      await person.sees(/udp +\[fd01::2\]:\d+ +\[fd09::1\]:5300 +\[fd0\d::2\]:5300 +udp +established/);
    });

    it('finds the flows of a network, of a backend and of a state', async () => {
      const shown = () =>
        person
          .lines()
          .slice(4, -1)
          .filter((line) => /^ (tcp|udp)/.test(line));
      for (const [filter, fits] of [
        ['client:fd01::/64', /\[fd01::2\]:\d+/],
        ['backend:10.3.0.0/16 tcp', /10\.3\.0\.2:9004/],
        [':5300 10.1.0.2', /udp +10\.1\.0\.2/],
      ] as const) {
        person.press('/', 'C-u');
        person.write(filter);
        person.press('Enter');
        await person.until(`only what fits ${filter} is shown`, () => {
          const lines = shown();
          return lines.length > 0 && lines.every((line) => fits.test(line));
        });
      }
      person.press('Escape');
    });

    it('tells why a flow is with its backend: its slot, the epoch, and how the backend sees it', async () => {
      person.press('/', 'C-u');
      person.write('tcp 10.1.0.2 established');
      person.press('Enter');
      person.press('Enter');
      await person.sees(
        /policy {2}maglev[\s\S]*slot {4}[\d,]+ of 65,537[\s\S]*epoch {3}\d+[\s\S]*seen as 10\.[23]\.0\.1:\d+/,
      );
      person.press('Escape', 'Escape');
    });

    it('drains a backend without cutting off anybody', async () => {
      const before = await clients.reports();
      person.press('3', 'g');
      const screen = await person.sees(/Backends ─[\s\S]*\n \S+:9004 /);
      const [, name = ''] = /\n (\S+:9004) /.exec(screen)!;
      person.press('d', 'y');
      await person.sees(new RegExp(`${name.replaceAll(/[.[\]]/g, '\\$&')} is draining`));
      await person.sees(/:9004 +tcp +draining/);
      const answersOf = ({ busy }: (typeof before)[number]) =>
        busy.reduce((sum, { answers }) => sum + answers, 0);
      await clients.until(
        'clients go on',
        (now, family) => answersOf(now) > answersOf(before[family]!) + 100,
      );
      person.press('e', 'y');
      await person.until('it is enabled again', () => !/draining/.test(person.screen()));
    });

    it('counts what is dropped, by reason', async () => {
      const stray = `import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
for port in range(2000, 2050):
    s.sendto(struct.pack("!HHIIBBHHH", port, 9004, 1, 1, 0x50, 0x10, 1024, 0, 0), ("10.9.0.1", 0))`;
      network.host('client').run(`python3 -c '${stray}'`);
      person.press('1');
      await person.sees(/Drops ─[\s\S]*(bad-checksum|no-flow) +tcp/);
    });

    it('tells of a thread of the data path that hangs and is ended, and goes on', async () => {
      const worker = String(await busiestThread((await instance.status()).pid, 500));
      const release = await startProgram(network, 'balancer', 'python3', [stopThread, worker], (child) =>
        once(child.stdout!, 'data'),
      );
      person.press('4');
      await person.sees(/A worker hangs and is ended/);
      await release();
      await person.sees(/A worker took over the flows of another/);
      person.press('1');
      await person.sees(/● live[\s\S]*packets in +[1-9]\d*\/s/);
    });

    it('gives the terminal back when the process is killed with its data path', async () => {
      const { pid } = await instance.status();
      process.kill(pid, 'SIGKILL');
      await person.isUsable();
    });

    it('shows what a new start has found of the old one', async () => {
      person.type(`clear; ${command} up -f ${file} --control ${control}`);
      await person.sees(/● live/);
      person.press('4');
      await person.sees(/warn|info/);
      person.press('q', 'y');
      await person.isUsable();
      assert.ok(person.isAtShell());
    });
  });
}
