/** `sluice up`: everything in a configuration file, or every saved service. */
import type { Reread } from '../../daemon/instance.ts';
import { usageError } from '../../model/errors.ts';
import {
  defaultDrainMs,
  defaultDsrPathSpec,
  defaultHashSeed,
  defaultNatPathSpec,
  type InstanceSpec,
} from '../../model/spec.ts';
import { defineCommand } from '../command.ts';
import { parseConfigText, readConfigFile } from '../config-file.ts';
import { dsrPathFlags, foregroundFlags, instanceFlags, natPathFlags } from '../flags.ts';
import { runInForeground } from '../foreground.ts';
import { withInstanceFlags } from '../instance-flags.ts';

export const up = defineCommand({
  name: 'up',
  summary: 'Run everything in a configuration file, or the saved services',
  positionals: {},
  flags: {
    file: {
      type: 'string',
      alias: 'f',
      describe: 'The configuration file; the services saved with sluice save unless given',
    },
    ...natPathFlags,
    ...dsrPathFlags,
    ...instanceFlags,
    ...foregroundFlags,
  },
  examples: [
    ['sluice up -f edge.yaml', 'run what the file says; SIGHUP or sluice reload reads it again'],
    ['sluice up', 'run the services that sluice save has kept'],
  ],
  async run({ file, ...flags }, terminal) {
    const readOwn = () => (file === undefined ? readSaved() : readConfigFile(file));
    const read: Reread = async (instead) => {
      const spec = await (instead === undefined ? readOwn() : parseConfigText(instead));
      const { withPaths } = await import('../../config/one-liner.ts');
      return withInstanceFlags(withPaths(spec, flags), flags);
    };
    return runInForeground({ spec: await read(), reread: read, flags, terminal });
  },
});

async function readSaved(): Promise<InstanceSpec> {
  const [{ savedServices }, { serviceFromWords }] = await Promise.all([
    import('../saved.ts'),
    import('../service-words.ts'),
  ]);
  const saved = savedServices();
  if (saved.length === 0) {
    throw usageError(
      'no service is saved',
      'use sluice save NAME -- proxy|nat|dsr ARGS..., or sluice up -f FILE',
    );
  }
  const services = await Promise.all(saved.map(({ name, words }) => serviceFromWords(name, words)));
  return {
    name: 'up',
    drainMs: defaultDrainMs,
    hashSeed: defaultHashSeed,
    nat: defaultNatPathSpec,
    dsr: defaultDsrPathSpec,
    services,
  };
}
