/** The body of a PATCH: JSON to a `BackendPatch`, exactly. */
import { usageError } from '../model/errors.ts';
import type { BackendPatch } from './controllable.ts';

const states = ['enabled', 'draining', 'disabled'] as const;
const highestWeight = 65_535;

type State = (typeof states)[number];

const example = 'send {"state":"draining"}, {"weight":2} or both';

/** Throws ERR_SLUICE_USAGE for anything but an object with `state`, `weight` or both, each in its range. */
export function parsePatch(body: string): BackendPatch {
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError('the body is not a JSON object', example);
  }
  const { state, weight, ...others } = value as Record<string, unknown>;
  const [unknownKey] = Object.keys(others);
  if (unknownKey !== undefined) throw usageError(`unknown field ${JSON.stringify(unknownKey)}`, example);
  if (state === undefined && weight === undefined) throw usageError('there is nothing to change', example);
  return {
    ...(state === undefined ? {} : { state: readState(state) }),
    ...(weight === undefined ? {} : { weight: readWeight(weight) }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError('the body is not JSON', example);
  }
}

function readState(value: unknown): State {
  const state = states.find((each) => each === value);
  if (state !== undefined) return state;
  throw usageError(`state ${JSON.stringify(value)} is unknown`, `use one of ${states.join(', ')}`);
}

function readWeight(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= highestWeight)
    return value;
  throw usageError(
    `weight ${JSON.stringify(value)} is out of range`,
    `use a whole number from 0 to ${highestWeight}`,
  );
}
