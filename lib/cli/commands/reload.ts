/** `sluice reload`: has a running instance read its configuration again. */
import { ExitCode } from '../../model/errors.ts';
import type { ReloadView } from '../../model/view.ts';
import { defineCommand } from '../command.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance } from '../remote.ts';

export const reload = defineCommand({
  name: 'reload',
  summary: 'Have a running instance read its configuration again',
  positionals: {},
  flags: remoteFlags,
  examples: [['sluice reload', 'apply what has changed; what has not is not touched']],
  async run({ json, ...whom }, terminal) {
    const view = await askInstance(whom, (instance) => instance.reload());
    terminal.print(json ? JSON.stringify({ event: 'reload', ...view }) : describe(view));
    return ExitCode.fine;
  },
});

/** `added web, changed dns`. */
function describe({ added, changed, removed }: ReloadView): string {
  const parts = Object.entries({ added, changed, removed })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what} ${names.join(' ')}`);
  return parts.length === 0 ? 'nothing has changed' : parts.join(', ');
}
