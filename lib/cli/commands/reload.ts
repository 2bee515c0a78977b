/** `sluice reload`: has a running instance read its configuration again. */
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { remoteFlags } from '../flags.ts';
import { planLines } from '../plan-text.ts';
import { askInstance } from '../remote.ts';

export const reload = defineCommand({
  name: 'reload',
  summary: 'Have a running instance read its configuration again',
  positionals: {},
  flags: remoteFlags,
  examples: [['sluice reload', 'apply what has changed; what has not is not touched']],
  async run({ json, ...whom }, terminal) {
    const view = await askInstance(whom, (instance) => instance.reload());
    if (json) terminal.print(JSON.stringify({ event: 'reload', ...view }));
    else planLines(view, terminal.out).forEach(terminal.print);
    return ExitCode.fine;
  },
});
