/** What a configuration file says of mode nat: the keys of a service, and those of the packet path that all share. */
import { z } from 'zod';
import { defaultFlowTimeouts } from '../conntrack/states.ts';
import { formatDuration } from '../model/duration.ts';
import { usageError } from '../model/errors.ts';
import { canonicalIp } from '../model/ip.ts';
import {
  defaultNatPathSpec,
  defaultNatSpec,
  type NatPathSpec,
  type NatSpec,
  onFailurePolicies,
  whenDownPolicies,
} from '../model/spec.ts';
import { positiveTime, table, text } from './kinds.ts';

const usual = defaultNatPathSpec;

/** More than any machine has processors to spare for. */
const mostWorkers = 64;
const fewestFlows = 1_024;
/** About 1.5 GB. */
const mostFlows = 16_000_000;

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

const rangePattern = /^(\d{1,5})-(\d{1,5})$/;

/** Reads `FIRST-LAST`, both ends included. */
function parsePortRange(given: string): readonly [first: number, last: number] {
  const [, first, last] = (rangePattern.exec(given) ?? []).map(Number);
  if (first! >= 1 && first! <= last! && last! <= 65_535) return [first!, last!];
  throw usageError(
    `${JSON.stringify(given)} is not a range of ports`,
    'write FIRST-LAST, from 1 to 65535, as in 61000-65535',
  );
}

const interfaceName = text((given) => {
  // What the kernel takes for a name: dev_valid_name().
  if (/^(?!\.{1,2}$)[^\s/:]{1,15}$/.test(given)) return given;
  throw usageError(`${JSON.stringify(given)} is not an interface`, 'write its name, as in eth0');
});

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

const timeouts = table(
  Object.fromEntries(
    Object.entries(defaultFlowTimeouts).map(([state, usualMs]) => [
      state,
      positiveTime
        .exactOptional()
        .describe(`Silence that ends a flow in this state: ${formatDuration(usualMs)}.`),
    ]),
  ),
);

/** The packet path: one for all services of mode nat of an instance. */
export const natPathSchema = table({
  workers: z
    .int()
    .min(1)
    .max(mostWorkers)
    .prefault(usual.workers)
    .describe('Threads that rewrite packets, each with a queue and a share of the flows.'),
  'snat-ports': text(parsePortRange, rangePattern)
    .prefault(usual.snatPorts.join('-'))
    .describe('The ports that rewritten packets leave from; nothing else may use them.'),
  'max-flows': z
    .int()
    .min(fewestFlows)
    .max(mostFlows)
    .prefault(usual.maxFlows)
    .describe('Flows at once, over all workers; each takes about 100 bytes.'),
  'on-failure': z
    .enum(onFailurePolicies)
    .prefault(usual.onFailure)
    .describe('What becomes of packets while nobody decides over them.'),
  'add-vip': interfaceName.exactOptional().describe('Interface to put the VIPs on that this machine lacks.'),
  timeouts: timeouts.prefault({}).describe('Silence after which a flow ends, by its state.'),
}).transform(
  ({
    'snat-ports': snatPorts,
    'max-flows': maxFlows,
    'on-failure': onFailure,
    'add-vip': addVip,
    workers,
    timeouts,
  }): NatPathSpec => ({
    workers,
    snatPorts,
    maxFlows,
    onFailure,
    ...(addVip === undefined ? {} : { addVip }),
    timeouts: timeouts as Record<string, number>,
  }),
);
