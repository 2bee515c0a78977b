/** What a configuration file says of mode dsr: the keys of a service, and those of the packet path that all share. */
import { z } from 'zod';
import { partialStates } from '../conntrack/states.ts';
import { encapsulations } from '../model/encapsulation.ts';
import { usageError } from '../model/errors.ts';
import { formatIp } from '../model/ip.ts';
import { parseNetwork } from '../model/network.ts';
import { type DsrPathSpec, type DsrSpec, defaultDsrPathSpec, defaultDsrSpec } from '../model/spec.ts';
import { table, text } from './kinds.ts';
import { pathKeys, portRange, toPathSpec } from './path-keys.ts';

/** Reads `auto`, or addresses and networks with commas between them. */
function parseOuterSource(given: string): DsrSpec['outerSource'] {
  return given === 'auto' ? given : given.split(',').map(parseSource);
}

/** An address, or a network by any of its addresses: the bits behind the prefix are the flows'. */
function parseSource(given: string): string {
  const text = given.trim();
  const [, bits = ''] = /(\/\d+)$/.exec(text) ?? [];
  const network = parseNetwork(text);
  if (network !== undefined) return formatIp(network.address, 0, network.family) + bits;
  throw usageError(
    `${JSON.stringify(given)} is not a source of tunnels`,
    'write ADDRESS or ADDRESS/BITS, several with commas between them, or auto',
  );
}

/** The keys of a service. */
export const dsrServiceKeys = {
  encap: z
    .enum(encapsulations)
    .prefault(defaultDsrSpec.encapsulation)
    .describe('How packets reach backends: gre, ipip, or l2, which takes backends on the same link.'),
  'outer-source': z
    .union([text(parseOuterSource), z.array(text(parseSource)).min(1)])
    .prefault('auto')
    .describe(
      'What tunnels begin at: auto for an address of this machine, or ADDRESS, or NETWORK to vary it by flow.',
    ),
};

/** More than any worker opens. */
const mostNewFlows = 10_000_000;

/** The packet path: one for all services of mode dsr of an instance. */
export const dsrPathSchema = table({
  ...pathKeys(defaultDsrPathSpec, partialStates),
  'probe-ports': portRange(defaultDsrPathSpec.probePorts).describe(
    'The ports that checks leave from; nothing else on this machine may use them.',
  ),
  'new-flows': z
    .int()
    .min(1)
    .max(mostNewFlows)
    .prefault(defaultDsrPathSpec.newFlows)
    .describe('New flows that each worker remembers in a second; those beyond are placed by hash alone.'),
}).transform(
  ({ 'probe-ports': probePorts, 'new-flows': newFlows, ...keys }): DsrPathSpec => ({
    ...toPathSpec(keys),
    probePorts,
    newFlows,
  }),
);
