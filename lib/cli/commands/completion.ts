/** `sluice completion`: what a shell has to be told once. */
import { basename } from 'node:path';
import { ExitCode, usageError } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { completionScripts, shells } from '../completion-scripts.ts';

export const completion = defineCommand({
  name: 'completion',
  summary: 'Print the completion script of a shell',
  positionals: {
    SHELL: {
      describe: `${shells.join(', ')}; your login shell unless given`,
      choices: shells,
      optional: true,
    },
  },
  flags: {},
  examples: [
    ['eval "$(sluice completion bash)"', 'in ~/.bashrc; the same for zsh in ~/.zshrc'],
    ['sluice completion fish > ~/.config/fish/completions/sluice.fish', 'for fish'],
  ],
  async run({ SHELL }, terminal) {
    const { SHELL: loginShell = '' } = process.env;
    const shell = SHELL ?? shells.find((name) => name === basename(loginShell));
    if (shell === undefined) throw usageError('the shell is missing', `use ${shells.join(', ')}`);
    terminal.print(completionScripts[shell]);
    return ExitCode.fine;
  },
});
