/** `sluice flows`: the live flows of a running instance. */
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance } from '../remote.ts';
import { renderTable } from '../table.ts';
import { flowColumns } from '../views.ts';

const defaultLimit = 1_000;

export const flows = defineCommand({
  name: 'flows',
  summary: 'Show the live flows of a running instance, oldest first',
  positionals: {},
  flags: {
    limit: { type: 'number', describe: `Show so many at most: ${defaultLimit} unless given` },
    ...remoteFlags,
  },
  examples: [
    ['sluice flows', 'who talks to which backend'],
    ['sluice flows --limit 10', 'the ten oldest'],
  ],
  async run({ json, limit = defaultLimit, ...whom }, terminal) {
    const views = await askInstance(whom, (instance) => instance.flows({ limit }));
    if (json) terminal.print(JSON.stringify(views));
    else renderTable(flowColumns, views.flows, terminal.out).forEach(terminal.print);
    return ExitCode.fine;
  },
});
