import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runInstance } from '../../lib/daemon/run.ts';
import { onSignals } from '../../lib/daemon/signals.ts';
import { ExitCode } from '../../lib/model/errors.ts';
import { silentLog } from '../../lib/model/log.ts';
import { freePort } from '../support/ports.ts';
import { scratch } from '../support/scratch.ts';
import { instanceSpec, service, tcp, to, whoAnswers } from './support.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Acts as if the signal had come, for whoever was the last to listen: the test runner listens as well. */
function receive(signal: NodeJS.Signals): void {
  process.listeners(signal).at(-1)!(signal);
}

describe('signals', () => {
  it('mean a stop or a reload, until they are forgotten', () => {
    const before = signals.map((signal) => process.listenerCount(signal));
    const meant: string[] = [];
    const forget = onSignals({ stop: () => meant.push('stop'), reload: () => meant.push('reload') });
    for (const signal of signals) receive(signal);
    assert.deepEqual(meant, ['stop', 'stop', 'reload']);
    forget();
    assert.deepEqual(
      signals.map((signal) => process.listenerCount(signal)),
      before,
    );
  });

  it('mean a stop when the terminal that was there has been closed', () => {
    const meant: string[] = [];
    let hasTerminal = true;
    const forget = onSignals(
      { stop: () => meant.push('stop'), reload: () => meant.push('reload') },
      () => hasTerminal,
    );
    receive('SIGHUP');
    hasTerminal = false;
    receive('SIGHUP');
    assert.deepEqual(meant, ['reload', 'stop']);
    forget();
  });

  it('interrupt an instance that is not ready yet', async (t) => {
    const directory = scratch();
    t.after(() => directory.remove());
    const control = join(directory.path, 'control.sock');
    const port = await freePort();
    const spec = instanceSpec(service('web', [to(80)], { listen: [tcp(port)] }));
    const ended = runInstance({
      spec: { ...spec, control },
      log: silentLog,
      onReady: () => assert.fail('it is not ready'),
    });
    receive('SIGINT');
    assert.equal(await ended, ExitCode.interrupted);
    assert.equal(await whoAnswers(t, port), 'ECONNREFUSED');
    assert.equal(existsSync(control), false);
  });
});
