/** `sluice save`: keeps a one-liner under a name, after making sure that it is one. */
import { ExitCode, usageError } from '../../model/errors.ts';
import { defineCommand, synopsis } from '../command.ts';
import { outputFlags } from '../flags.ts';

export const save = defineCommand({
  name: 'save',
  summary: 'Keep a service under a name, for sluice up',
  positionals: { NAME: { describe: 'Name of the service; one that has it already is replaced' } },
  rest: 'proxy|nat|dsr ARGS...',
  flags: outputFlags,
  examples: [
    [
      'sluice save web -- proxy :8080 10.0.0.1:80 10.0.0.2:80',
      'keep a service; sluice up runs all that are kept',
    ],
    ['sluice save dns -- nat udp://192.0.2.10:53 10.0.0.1:53', 'one of another mode'],
  ],
  async run({ NAME }, terminal, words) {
    if (words.length === 0) throw usageError('the service is missing', `write ${synopsis(save)}`);
    const [{ saveService }, { serviceFromWords }] = await Promise.all([
      import('../saved.ts'),
      import('../service-words.ts'),
    ]);
    await serviceFromWords(NAME, words);
    saveService({ name: NAME, words });
    terminal.say(`saved ${NAME}`);
    return ExitCode.fine;
  },
});
