import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Tally } from '../../lib/cli/demo/tally.ts';
import { output } from '../support/child.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice } from '../support/sluice.ts';
import { findProgram } from '../support/tools.ts';

const directory = scratch();
after(() => directory.remove());

const demo = (name: string, ...flags: string[]) => [
  ...['demo', '--control', join(directory.path, `${name}.sock`)],
  ...flags,
];

describe('the tally of the demo', () => {
  it('counts answers by backend, and failures apart', () => {
    const tally = new Tally();
    tally.answered('a', 1);
    tally.answered('a', 1);
    tally.answered('b', 1);
    tally.failed();
    assert.deepEqual([tally.requests, tally.errors], [4, 1]);
    assert.deepEqual(
      [...tally.answers],
      [
        ['a', 2],
        ['b', 1],
      ],
    );
  });

  it('knows the median to a tenth, from the shortest times to the longest', () => {
    for (const latencyMs of [0.02, 0.5, 3, 40, 5_000]) {
      const tally = new Tally();
      for (const factor of [0.01, 1, 100]) tally.answered('a', latencyMs * factor);
      assert.ok(Math.abs(tally.medianMs() / latencyMs - 1) < 0.1, `${tally.medianMs()} for ${latencyMs}`);
    }
  });

  it('has no median before the first answer', () => {
    assert.equal(new Tally().medianMs(), 0);
  });

  it('takes any time there is', () => {
    const tally = new Tally();
    for (const latencyMs of [0, 1e-9, 1e12]) tally.answered('a', latencyMs);
    assert.ok(Number.isFinite(tally.medianMs()));
  });
});

describe('sluice demo', () => {
  it('sends real traffic through a real proxy, and sums it up', async () => {
    const { code, stdout } = await runSluice(demo('json', '--for', '3.5s', '--json'));
    assert.equal(code, 0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(events[0].event, 'ready');
    assert.deepEqual(
      events.slice(1, -1).map(({ event }) => event),
      events.slice(1, -1).map(() => 'traffic'),
    );
    const summary = events.at(-1);
    assert.equal(summary.event, 'summary');
    assert.equal(summary.errors, 0);
    assert.equal(summary.backends.length, 3);
    for (const { requests } of summary.backends) assert.ok(requests > 0);
  });

  it('prints lines where it cannot redraw', async () => {
    const { stdout, stderr } = await runSluice(demo('lines', '--for', '2.5s'));
    assert.match(
      stdout,
      /^\d+s {2}\d+ requests\/s {2}\d+ requests {2}0 errors {2}median \S+ms {2}\d+% \d+% \d+%\n/,
    );
    assert.match(stdout, /\n[\d,]+ requests in \S+s, 0 errors, median \S+ms\nBACKEND /);
    assert.match(stderr, /^sluice: ready, demo on /);
  });

  it('shows the dashboard on a terminal, and leaves that as it was', { skip: needsScript() }, async () => {
    const command = `'${process.execPath}' '${entry}' ${demo('screen', '--for', '3s').join(' ')}`;
    const screen = await output({
      program: 'script',
      args: ['--quiet', '--return', '--command', command, join(directory.path, 'typescript')],
      env: { TERM: 'xterm' },
    });
    const taken = screen.indexOf('\u001b[?1049h');
    const givenBack = screen.lastIndexOf('\u001b[?1049l');
    assert.ok(taken >= 0 && givenBack > taken);
    assert.match(screen.slice(taken, givenBack), /new flows[\s\S]*From a shell/);
    assert.match(screen.slice(givenBack), /requests in /);
  });
});

function needsScript(): string | false {
  return findProgram('script') === undefined && 'needs script: apt-get install bsdutils';
}
