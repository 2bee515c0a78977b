import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { scratch } from '../support/scratch.ts';
import { runSluice } from '../support/sluice.ts';

const directory = scratch();
after(() => directory.remove());

const good = directory.write(
  'good.yaml',
  `name: edge-1
services:
  - name: web
    listen: 127.0.0.1:0
    backends: [127.0.0.1:9001, { address: 127.0.0.1:9002, weight: 2 }]
`,
);

const bad = directory.write(
  'bad.yaml',
  `name: edge-1
services:
  - name: web
    listen: 127.0.0.1:99999
    balanse: maglev
    backends: [127.0.0.1]
`,
);

describe('sluice check', () => {
  it('says that a file is fine', async () => {
    assert.deepEqual(await runSluice(['check', '-f', good]), {
      code: 0,
      stdout: `${good} is fine: 1 service, 2 backends\n`,
      stderr: '',
    });
  });

  it('lists everything that is wrong, each with its line and column', async () => {
    assert.deepEqual(await runSluice(['check', '-f', bad]), {
      code: 3,
      stdout: '',
      stderr: `sluice: "127.0.0.1:99999" is not an address: port 99999 is out of range — use a port from 1 to 65535
  at ${bad}:4:13
sluice: unknown key "balanse" — did you mean "balance"?
  at ${bad}:5:5
sluice: "127.0.0.1" is not an address: the port is missing — add one, as in 127.0.0.1:80
  at ${bad}:6:16
`,
    });
  });

  it('does the same in JSON', async () => {
    const fine = await runSluice(['check', '--json', '-f', good]);
    assert.deepEqual(JSON.parse(fine.stdout), { event: 'check', file: good, valid: true, problems: [] });
    const { code, stdout, stderr } = await runSluice(['check', '--json', '-f', bad]);
    assert.deepEqual({ code, stderr }, { code: 3, stderr: '' });
    const { valid, problems } = JSON.parse(stdout);
    assert.equal(valid, false);
    assert.deepEqual(
      problems.map(({ place }: { place: string }) => place),
      [`${bad}:4:13`, `${bad}:5:5`, `${bad}:6:16`],
    );
  });

  it('finds where a file is not YAML', async () => {
    const file = directory.write('broken.yaml', 'name: edge-1\nservices: [\n');
    const { code, stderr } = await runSluice(['check', '-f', file]);
    assert.equal(code, 3);
    assert.match(stderr, /^sluice: .*\n {2}at .*broken\.yaml:\d+:\d+\n/);
  });
});

describe('sluice up', () => {
  it('refuses a file that is wrong with the first mistake and their number', async () => {
    assert.deepEqual(await runSluice(['up', '-f', bad]), {
      code: 3,
      stdout: '',
      stderr: `sluice: "127.0.0.1:99999" is not an address: port 99999 is out of range (and 2 more problems) — use a port from 1 to 65535
  at ${bad}:4:13
`,
    });
  });
});
