/** How an instance in the foreground speaks: when it is ready, while it runs, and when it cannot begin. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseListen } from '../../lib/model/address.ts';
import { startServer } from '../support/child.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice, sluice } from '../support/sluice.ts';

const directory = scratch();
after(() => directory.remove());

const socket = (name: string) => join(directory.path, `${name}.sock`);

/** A one-liner that ends by itself; its backend is nobody. */
const oneLiner = (name: string, ...flags: string[]) => [
  'proxy',
  '127.0.0.1:0',
  '127.0.0.1:9',
  '--check',
  'none',
  '--control',
  socket(name),
  ...flags,
];

describe('sluice proxy', { concurrency: 2 }, () => {
  it('says in JSON what it serves, with the port that it was given', async () => {
    const { code, stdout, stderr } = await runSluice(
      oneLiner('json', '--json', '--name', 'web', '--for', '1ms'),
    );
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const ready = JSON.parse(stdout);
    const [{ listen, ...service }] = ready.services;
    assert.deepEqual(
      { ...ready, services: [service] },
      { event: 'ready', services: [{ name: 'web', mode: 'proxy', backends: 1 }], control: socket('json') },
    );
    assert.ok(parseListen(listen).port > 0);
  });

  it('says so in a line on stderr to people', async () => {
    const { code, stdout, stderr } = await runSluice(oneLiner('text', '--for', '1ms'));
    assert.deepEqual({ code, stdout }, { code: 0, stdout: '' });
    assert.match(
      stderr,
      /^sluice: ready, proxy on tcp:\/\/127\.0\.0\.1:\d+ → 1 backend \(control .*text\.sock\)\n$/,
    );
  });

  it('logs to stderr, as text or as JSON, or not at all', async () => {
    const unwell = (name: string, ...flags: string[]) =>
      runSluice([
        ...['proxy', '127.0.0.1:0', '127.0.0.1:9', '--control', socket(name), '--fall', '1'],
        ...['--check-interval', '10ms', '--for', '1s', ...flags],
      ]);
    const text = await unwell('log-text');
    assert.match(text.stderr, /\n\d\d:\d\d:\d\d warn backend is down service=proxy backend=127\.0\.0\.1:9 /);
    const json = await unwell('log-json', '--log-format', 'json', '--json');
    const [line] = json.stderr.split('\n');
    const { level, message, service } = JSON.parse(line!);
    assert.deepEqual([level, message, service], ['warn', 'backend is down', 'proxy']);
    assert.equal((await unwell('log-none', '--log-level', 'silent')).stderr, '');
  });

  it('ends with 0 on SIGINT and on SIGTERM', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      await using running = await sluice(oneLiner(signal));
      running.kill(signal);
      assert.equal(await running.exited, 0);
    }
  });

  it('cannot take a port that is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const taken = ['proxy', `127.0.0.1:${port}`, '127.0.0.1:9', '--control', socket('taken')];
    const { code, stdout, stderr } = await runSluice(taken);
    holder.close();
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    assert.match(
      stderr,
      new RegExp(`^sluice: tcp://127\\.0\\.0\\.1:${port} is already in use — [^\\n]+\\n$`),
    );
  });

  it('needs a place for its control socket', async () => {
    const file = directory.write('a-file', '');
    const { code, stderr } = await runSluice([
      ...['proxy', '127.0.0.1:0', '127.0.0.1:9', '--control'],
      join(file, 'x.sock'),
    ]);
    assert.equal(code, 4);
    assert.match(stderr, /^sluice: no control socket can be made at .* — choose a path [^\n]+\n$/);
  });
});

describe('output that nobody reads', () => {
  it('ends a command in silence', () => {
    const command = `'${process.execPath}' '${entry}' --help; echo "code $?" >&2`;
    const { stderr } = spawnSync('bash', ['-c', `{ ${command}; } | true`], { encoding: 'utf8' });
    assert.equal(stderr, 'code 0\n');
  });

  it('does not end an instance', async () => {
    const args = oneLiner('unread');
    const command = `'${process.execPath}' '${entry}' ${args.join(' ')} 2>&1 | true; wait`;
    await using shell = await startServer({ program: 'bash', args: ['-c', command] }, async () => undefined);
    while ((await runSluice(['status', '--control', socket('unread')])).code !== 0);
    assert.equal((await runSluice(['stop', '--control', socket('unread')])).code, 0);
    assert.equal(await shell.exited, 0);
  });
});
