/** What a configuration file says of mode nat: the keys of a service, and those of the packet path that all share. */
import { z } from 'zod';
import { fullStates } from '../conntrack/states.ts';
import { usageError } from '../model/errors.ts';
import { canonicalIp } from '../model/ip.ts';
import {
  defaultNatPathSpec,
  defaultNatSpec,
  type NatPathSpec,
  type NatSpec,
  whenDownPolicies,
} from '../model/spec.ts';
import { table, text } from './kinds.ts';
import { pathKeys, portRange, toPathSpec } from './path-keys.ts';

/** Reads `auto`, `none`, or addresses with commas between them. */
function parseSnat(given: string): NatSpec['snat'] {
  if (given === 'auto' || given === 'none') return given;
  return given.split(',').map(parseSnatAddress);
}

function parseSnatAddress(given: string): string {
  const address = canonicalIp(given.trim());
  if (address !== undefined) return address;
  throw usageError(
    `${JSON.stringify(given)} is not a source address`,
    'write addresses of this machine with commas between them, auto, or none',
  );
}

/** The keys of a service. */
export const natServiceKeys = {
  snat: z
    .union([text(parseSnat), z.array(text(parseSnatAddress)).min(1)])
    .prefault('auto')
    .describe(
      'The source that backends see: auto, addresses of this machine, or none for the client itself.',
    ),
  'when-down': z
    .enum(whenDownPolicies)
    .prefault(defaultNatSpec.whenDown)
    .describe('What becomes of the TCP flows of a backend that goes down.'),
};

/** The packet path: one for all services of mode nat of an instance. */
export const natPathSchema = table({
  ...pathKeys(defaultNatPathSpec, fullStates),
  'snat-ports': portRange(defaultNatPathSpec.snatPorts).describe(
    'The ports that rewritten packets leave from; nothing else may use them.',
  ),
}).transform(({ 'snat-ports': snatPorts, ...keys }): NatPathSpec => ({ ...toPathSpec(keys), snatPorts }));
