/** What a configuration file says of a packet path, whatever its mode. */
import { z } from 'zod';
import { defaultFlowTimeouts, type FlowTimeouts } from '../conntrack/states.ts';
import { formatDuration } from '../model/duration.ts';
import { usageError } from '../model/errors.ts';
import { onFailurePolicies, type PathSpec } from '../model/spec.ts';
import { positiveTime, table, text } from './kinds.ts';

/** More than any machine has processors to spare for. */
const mostWorkers = 64;
const fewestFlows = 1_024;
/** About 1.5 GB. */
const mostFlows = 16_000_000;

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

/** A range of ports that is `usual` when left out. */
export function portRange(usual: readonly [first: number, last: number]) {
  return text(parsePortRange, rangePattern).prefault(usual.join('-'));
}

const interfaceName = text((given) => {
  // What the kernel takes for a name: dev_valid_name().
  if (/^(?!\.{1,2}$)[^\s/:]{1,15}$/.test(given)) return given;
  throw usageError(`${JSON.stringify(given)} is not an interface`, 'write its name, as in eth0');
});

function timeoutsOf(states: readonly (keyof FlowTimeouts)[]) {
  return table(
    Object.fromEntries(
      states.map((state) => [
        state,
        positiveTime
          .exactOptional()
          .describe(`Silence that ends a flow in this state: ${formatDuration(defaultFlowTimeouts[state])}.`),
      ]),
    ),
  );
}

/** The keys that all packet paths have; `states` are those that its flows may be in. */
export function pathKeys(usual: PathSpec, states: readonly (keyof FlowTimeouts)[]) {
  return {
    workers: z
      .int()
      .min(1)
      .max(mostWorkers)
      .prefault(usual.workers)
      .describe('Threads that packets go through, each with a queue and a share of the flows.'),
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
    'add-vip': interfaceName
      .exactOptional()
      .describe('Interface to put the VIPs on that this machine lacks.'),
    timeouts: timeoutsOf(states).prefault({}).describe('Silence after which a flow ends, by its state.'),
  };
}

/** What `pathKeys` read, as the model has it. */
export function toPathSpec(keys: z.output<z.ZodObject<ReturnType<typeof pathKeys>>>): PathSpec {
  const { workers, 'max-flows': maxFlows, 'on-failure': onFailure, 'add-vip': addVip, timeouts } = keys;
  return {
    workers,
    maxFlows,
    onFailure,
    ...(addVip === undefined ? {} : { addVip }),
    timeouts: timeouts as Record<string, number>,
  };
}
