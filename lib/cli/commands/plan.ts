/** `sluice plan`: what a configuration would change about a running instance, before it happens. */
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { parseConfigText, readConfigText } from '../config-file.ts';
import { remoteFlags } from '../flags.ts';
import { planLines } from '../plan-text.ts';
import { askInstance } from '../remote.ts';

export const plan = defineCommand({
  name: 'plan',
  summary: 'Show what a configuration would change about a running instance, down to its live flows',
  positionals: {},
  flags: {
    file: {
      type: 'string',
      alias: 'f',
      describe: "The configuration file; the instance's own, as it is now, unless given",
    },
    ...remoteFlags,
  },
  examples: [
    ['sluice plan -f new.yaml', 'which backends, slots and live flows would move or go'],
    ['sluice plan && sluice reload', 'look first, and apply only what would not be refused'],
  ],
  async run({ file, json, ...whom }, terminal) {
    const instead = file === undefined ? undefined : await readConfigText(file);
    // What is wrong with it shows even where nothing runs.
    if (instead !== undefined) await parseConfigText(instead);
    const view = await askInstance(whom, (instance) => instance.plan(instead));
    if (json) terminal.print(JSON.stringify({ event: 'plan', ...view }));
    else planLines(view, terminal.out).forEach(terminal.print);
    return view.refused === null ? ExitCode.fine : ExitCode.configInvalid;
  },
});
