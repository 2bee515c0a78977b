/** `sluice forget`: undoes `save`. */
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { outputFlags } from '../flags.ts';

export const forget = defineCommand({
  name: 'forget',
  summary: 'Forget a saved service',
  positionals: { NAME: { describe: 'Name of the service, as sluice services lists it' } },
  flags: outputFlags,
  examples: [['sluice forget web', 'keep it no longer; what runs is not touched']],
  async run({ NAME }, terminal) {
    const { forgetService } = await import('../saved.ts');
    forgetService(NAME);
    terminal.say(`forgot ${NAME}`);
    return ExitCode.fine;
  },
});
