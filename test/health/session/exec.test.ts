import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { execProbe } from '../../../lib/health/session/exec.ts';
import { ask } from '../../../lib/health/session/probe.ts';
import { defaultCheckTiming } from '../../../lib/model/spec.ts';
import { host, tell, unwell, well } from './loopback.ts';

const run = (command: string) => execProbe({ ...defaultCheckTiming, type: 'exec', command });

describe('an exec probe', () => {
  it('passes when the command exits with 0', async () => {
    assert.deepEqual(await tell(run('true'), 80), well);
  });

  it('tells the exit code', async () => {
    assert.deepEqual(await tell(run('exit 3'), 80), unwell('exit code 3'));
  });

  it('tells a command that does not exist', async () => {
    assert.deepEqual(await tell(run('no-such-command-anywhere'), 80), unwell('exit code 127'));
  });

  it('tells a command that is killed', async () => {
    assert.deepEqual(await tell(run('kill -TERM $$'), 80), unwell('killed by SIGTERM'));
  });

  it('tells the command whom it is about', async () => {
    const command = 'test "$SLUICE_HOST $SLUICE_PORT $SLUICE_BACKEND" = "127.0.0.1 8080 web-1"';
    assert.deepEqual(await tell(run(command), 8080), well);
  });

  it('kills a command that hangs, with what it started', { timeout: 20_000 }, async (t) => {
    // Every process that the command starts holds a pipe open: its end is the end of the last of them.
    const folder = await mkdtemp(join(tmpdir(), 'sluice-exec-'));
    t.after(() => rm(folder, { recursive: true }));
    const fifo = join(folder, 'alive');
    execFileSync('mkfifo', [fifo]);
    const alive = createReadStream(fifo);
    const timeout = new AbortController();
    const hanging = ask(
      run(`exec 3>${fifo}; sleep 600 & echo started >&3; wait`),
      { host, port: 80, backendName: 'web-1' },
      timeout.signal,
    );
    await once(alive, 'data');
    timeout.abort();
    assert.deepEqual(await hanging, unwell('timed out', 'unknown'));
    await once(alive.resume(), 'end');
  });
});
