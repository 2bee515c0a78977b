/** The words of a saved service, read as `sluice` would read them: once to be sure of them, then whenever they run. */
import { usageError } from '../model/errors.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { camelCase } from './command.ts';
import { readCommandLine } from './command-line.ts';
import { dsr } from './commands/dsr.ts';
import { nat } from './commands/nat.ts';
import { proxy } from './commands/proxy.ts';
import { dsrPathFlags, foregroundFlags, instanceFlags, natPathFlags } from './flags.ts';

/** @throws {SluiceError} with exit code 2 for whatever `sluice WORDS` would refuse, and for flags of an instance. */
export async function serviceFromWords(name: string, words: readonly string[]): Promise<ServiceSpec> {
  const { command, values } = readCommandLine(words, [proxy, nat, dsr]);
  if (command === undefined)
    throw usageError('there is nothing to save', 'write sluice save NAME -- proxy|nat|dsr ARGS...');
  const ofInstance = { ...instanceFlags, ...natPathFlags, ...dsrPathFlags, ...foregroundFlags };
  for (const flag of Object.keys(ofInstance)) {
    if (values[camelCase(flag)]) {
      throw usageError(`--${flag} is for a whole instance, not for one service`, 'give it to sluice up');
    }
  }
  const { LISTEN, VIP, BACKEND, ...flags } = values;
  const { dsrInstanceFromArguments, instanceFromArguments, natInstanceFromArguments } = await import(
    '../config/one-liner.ts'
  );
  const ofMode = {
    proxy: instanceFromArguments,
    nat: natInstanceFromArguments,
    dsr: dsrInstanceFromArguments,
  };
  const read = ofMode[command.name as keyof typeof ofMode];
  const { services } = read({ ...flags, name, listen: (VIP ?? LISTEN)!, backends: BACKEND! });
  return services[0]!;
}
