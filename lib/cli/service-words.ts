/** The words of a saved service, read as `sluice` would read them: once to be sure of them, then whenever they run. */
import { usageError } from '../model/errors.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { camelCase } from './command.ts';
import { readCommandLine } from './command-line.ts';
import { nat } from './commands/nat.ts';
import { proxy } from './commands/proxy.ts';
import { foregroundFlags, instanceFlags, natPathFlags } from './flags.ts';

/** @throws {SluiceError} with exit code 2 for whatever `sluice WORDS` would refuse, and for flags of an instance. */
export async function serviceFromWords(name: string, words: readonly string[]): Promise<ServiceSpec> {
  const { command, values } = readCommandLine(words, [proxy, nat]);
  if (command === undefined)
    throw usageError('there is nothing to save', 'write sluice save NAME -- proxy|nat ARGS...');
  for (const flag of Object.keys({ ...instanceFlags, ...natPathFlags, ...foregroundFlags })) {
    if (values[camelCase(flag)]) {
      throw usageError(`--${flag} is for a whole instance, not for one service`, 'give it to sluice up');
    }
  }
  const { LISTEN, VIP, BACKEND, ...flags } = values;
  const { instanceFromArguments, natInstanceFromArguments } = await import('../config/one-liner.ts');
  const { services } =
    command === nat
      ? natInstanceFromArguments({ ...flags, name, listen: VIP!, backends: BACKEND! })
      : instanceFromArguments({ ...flags, name, listen: LISTEN!, backends: BACKEND! });
  return services[0]!;
}
