/** `sluice check`: everything that is wrong with a configuration file, without running it. */
import { ExitCode, usageError } from '../../model/errors.ts';
import { plural } from '../../model/units.ts';
import { defineCommand } from '../command.ts';
import { readConfigFile } from '../config-file.ts';
import { jsonFlag, outputFlags } from '../flags.ts';
import { problemLines } from '../report.ts';

export const check = defineCommand({
  name: 'check',
  summary: 'Validate a configuration file; bind nothing',
  positionals: {},
  flags: {
    file: { type: 'string', alias: 'f', describe: 'The configuration file' },
    ...jsonFlag,
    ...outputFlags,
  },
  examples: [['sluice check -f edge.yaml && sluice reload', 'apply a file only if nothing is wrong with it']],
  async run({ file, json }, terminal) {
    if (file === undefined) throw usageError('the file is missing', 'write sluice check -f FILE');
    const { ConfigError } = await import('../../config/parse.ts');
    try {
      const { services } = await readConfigFile(file);
      const backends = services.reduce((sum, service) => sum + service.backends.length, 0);
      if (json) terminal.print(JSON.stringify({ event: 'check', file, valid: true, problems: [] }));
      else
        terminal.print(
          `${file} is fine: ${plural(services.length, 'service')}, ${plural(backends, 'backend')}`,
        );
      return ExitCode.fine;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { problems } = error;
      if (json) terminal.print(JSON.stringify({ event: 'check', file, valid: false, problems }));
      else for (const problem of problems) problemLines(problem, terminal.err).forEach(terminal.say);
      return ExitCode.configInvalid;
    }
  },
});
