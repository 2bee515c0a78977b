/** Lengths of time as people write them (`250ms`, `1.5s`, `5m`, `2h`); everywhere else they are milliseconds. */
import { usageError } from './errors.ts';

/** A unit, its length, and the number of it from which on the next one reads better. */
const units = [
  { name: 'ms', ms: 1, end: 1_000 },
  { name: 's', ms: 1_000, end: 60 },
  { name: 'm', ms: 60_000, end: 60 },
  { name: 'h', ms: 3_600_000, end: Number.POSITIVE_INFINITY },
] as const;

/** Timers take 31 bits of milliseconds and fire at once beyond. */
const longestMs = 2 ** 31 - 1;

/**
 * A number and its unit as milliseconds, rounded to whole ones. A number alone is refused, as nobody agrees what it
 * counts, and so is what no timer can hold (about 24 days).
 */
export function parseDuration(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(text);
  if (parts === null) throw refuse(text, 'it is not a number and a unit', 'write 250ms, 1.5s, 5m or 2h');
  const [, amount, unitName] = parts;
  if (unitName === '') {
    throw refuse(text, 'the unit is missing', `write ${amount}ms, ${amount}s, ${amount}m or ${amount}h`);
  }
  const unit = units.find((candidate) => candidate.name === unitName);
  if (unit === undefined) throw refuse(text, `unit ${unitName} is unknown`, 'use ms, s, m or h');
  const ms = Math.round(Number(amount) * unit.ms);
  if (ms > longestMs)
    throw refuse(text, 'it is too long', `use ${Math.floor(longestMs / 3_600_000)}h at most`);
  return ms;
}

/** The short form for people: one unit, one decimal at most (`250ms`, `1.5s`, `2h`); `parseDuration` reads it. */
export function formatDuration(ms: number): string {
  let text = '';
  for (const unit of units) {
    const amount = Math.round((ms / unit.ms) * 10) / 10;
    text = `${amount}${unit.name}`;
    if (amount < unit.end) break;
  }
  return text;
}

function refuse(text: string, problem: string, remedy: string): Error {
  return usageError(`${JSON.stringify(text)} is not a duration: ${problem}`, remedy);
}
