import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { completionRequest, shells } from '../../lib/cli/completion-scripts.ts';
import { output, run } from '../support/child.ts';
import { scratch } from '../support/scratch.ts';
import { entry, runSluice } from '../support/sluice.ts';
import { findProgram } from '../support/tools.ts';

const directory = scratch();
after(() => directory.remove());

/** A `sluice` for shells that look in PATH. */
const program = directory.write('sluice', `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`);
chmodSync(program, 0o755);
const { PATH = '' } = process.env;
const env = { PATH: `${directory.path}:${PATH}` };

async function suggestions(shell: string, ...words: string[]): Promise<string[]> {
  const { stdout } = await runSluice([completionRequest, 'sluice', ...words], { env: { SHELL: shell } });
  return stdout.split('\n').filter(Boolean);
}

describe('completion', () => {
  it('offers commands, flags and the words that a flag takes', async () => {
    assert.ok((await suggestions('bash', '')).includes('status'));
    assert.ok((await suggestions('bash', 'proxy', ':80', '--bal')).includes('--balance'));
    assert.deepEqual(await suggestions('bash', 'proxy', ':80', '--balance', 'ma'), ['maglev']);
  });

  it('describes them to shells that can show it', async () => {
    assert.ok((await suggestions('zsh', '')).some((line) => /^status:Show /.test(line)));
    assert.ok((await suggestions('fish', '')).some((line) => /^status\tShow /.test(line)));
  });

  for (const shell of shells) {
    const needed = findProgram(shell) === undefined && `needs ${shell}: apt-get install ${shell}`;
    it(`has a script that ${shell} can read`, { skip: needed }, async () => {
      const { code, stdout } = await runSluice(['completion', shell]);
      assert.equal(code, 0);
      const script = directory.write(`completion.${shell}`, stdout);
      assert.equal(await output({ program: shell, args: ['-n', script] }), '');
    });
  }

  it('works in bash', async () => {
    const ask = (line: string) =>
      output({
        program: 'bash',
        args: [
          '-c',
          `eval "$(sluice completion bash)"; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`,
        ],
        env,
      });
    assert.equal(await ask('sluice stat'), 'status\n');
    assert.equal(await ask('sluice proxy :80 --bal'), '--balance\n');
  });

  it('is that of the login shell when none is named', async () => {
    const { stdout } = await runSluice(['completion'], { env: { SHELL: '/usr/bin/fish' } });
    assert.match(stdout, /^# fish completion/);
    const none = await run({ program: process.execPath, args: [entry, 'completion'], env: { SHELL: '' } });
    assert.equal(none.stderr, 'sluice: the shell is missing — use bash, zsh, fish\n');
  });
});
