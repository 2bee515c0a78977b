/** What a command line says of an instance as a whole, laid over what its configuration says. */
import { parseHostPort } from '../model/address.ts';
import { parseDuration } from '../model/duration.ts';
import type { InstanceSpec } from '../model/spec.ts';
import type { Values } from './command.ts';
import { readFlag } from './flag-value.ts';
import type { instanceFlags } from './flags.ts';

export type InstanceFlags = Values<Readonly<Record<never, never>>, typeof instanceFlags>;

/** A specification in which the flags that were given win. */
export function withInstanceFlags(spec: InstanceSpec, flags: InstanceFlags): InstanceSpec {
  const { name, control } = flags;
  const metrics = readFlag('--metrics', flags.metrics, (text) => parseHostPort(text, 'bind'));
  const drainMs = readFlag('--drain', flags.drain, parseDuration);
  return {
    ...spec,
    ...(name === undefined ? {} : { name }),
    ...(control === undefined ? {} : { control }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(drainMs === undefined ? {} : { drainMs }),
  };
}
