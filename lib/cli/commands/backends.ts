/** `sluice backends`: the backends of a running instance, and how they are. */
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance } from '../remote.ts';
import { renderTable } from '../table.ts';
import { backendColumns } from '../views.ts';

export const backends = defineCommand({
  name: 'backends',
  summary: 'Show the backends of a running instance',
  positionals: {},
  flags: remoteFlags,
  examples: [
    ['sluice backends', 'state, health and traffic of each'],
    [
      `sluice backends --json | jq -r '.backends[] | select(.state == "down").address'`,
      'the addresses of those that are down',
    ],
  ],
  async run({ json, ...whom }, terminal) {
    const views = await askInstance(whom, (instance) => instance.backends());
    if (json) terminal.print(JSON.stringify({ backends: views }));
    else renderTable(backendColumns, views, terminal.out).forEach(terminal.print);
    return ExitCode.fine;
  },
});
