/** `sluice status`: a running instance and its services. */
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance } from '../remote.ts';
import { renderTable } from '../table.ts';
import { serviceColumns, statusLine } from '../views.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Show a running instance and its services',
  positionals: {},
  flags: remoteFlags,
  examples: [
    ['sluice status', 'the instance, if only one runs'],
    [
      "sluice status --name edge-1 --json | jq '.services[].flows'",
      'live flows of each service, for a script',
    ],
  ],
  async run({ json, ...whom }, terminal) {
    const view = await askInstance(whom, (instance) => instance.status());
    if (json) terminal.print(JSON.stringify(view));
    else {
      terminal.print(statusLine(view));
      renderTable(serviceColumns, view.services, terminal.out).forEach(terminal.print);
    }
    return ExitCode.fine;
  },
});
