/** What yargs understood, held against what a command takes. yargs checks nothing itself: its words would not help. */
import { nearest } from '../config/nearest.ts';
import { type SluiceError, usageError } from '../model/errors.ts';
import { type Command, type Flag, synopsis } from './command.ts';

/** As yargs parses: flags and positionals by name, `_` the command and what is left over, `--` what follows that. */
export interface ParsedArguments {
  readonly _: readonly (string | number)[];
  readonly '--'?: readonly string[];
  readonly help?: boolean;
  readonly [name: string]: unknown;
}

/** @throws {SluiceError} of the first thing that is wrong: an unknown flag, a value, too few words, too many. */
export function checkArguments(command: Command, parsed: ParsedArguments): void {
  const aliases = Object.values(command.flags).map(({ alias }) => alias);
  const known = new Set<unknown>(['_', '--', '$0', ...Object.keys(command.positionals), ...aliases]);
  for (const [name, value] of Object.entries(parsed)) {
    if (known.has(name)) continue;
    const flag = Object.hasOwn(command.flags, name) ? command.flags[name] : undefined;
    if (flag === undefined) throw unknownFlag(name, command);
    checkValue(dashed(name), flag, value);
  }
  for (const [name, positional] of Object.entries(command.positionals)) {
    const value = parsed[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) {
      if (positional.optional) continue;
      throw usageError(`${name} is missing`, `write ${synopsis(command)}`);
    }
    if (positional.choices !== undefined) checkChoice(name, positional.choices, String(value));
  }
  const extra = parsed._[1];
  if (extra !== undefined)
    throw usageError(`unexpected ${JSON.stringify(extra)}`, `write ${synopsis(command)}`);
  if (parsed['--'] !== undefined && command.rest === undefined) {
    throw usageError('-- has no meaning here', `write ${synopsis(command)}`);
  }
}

/** For a word that stands where a command should. */
export function unknownCommand(word: string, commands: readonly Command[]): SluiceError {
  const names = commands.map(({ name }) => name);
  const meant = nearest(word, names);
  const remedy = meant === undefined ? 'see sluice --help' : `did you mean ${meant}?`;
  return usageError(`unknown command ${JSON.stringify(word)}`, remedy);
}

/** For a flag that its command does not have, or that stands before any command. */
export function unknownFlag(name: string, command?: Command): SluiceError {
  const meant = nearest(name, [...Object.keys(command?.flags ?? {}), 'help']);
  const help = command === undefined ? 'sluice --help' : `sluice ${command.name} --help`;
  const remedy = meant === undefined ? `see ${help}` : `did you mean ${dashed(meant)}?`;
  return usageError(`unknown flag ${dashed(name)}`, remedy);
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** A choice is checked here and nowhere else: the words that a flag takes are the ones that help and completion show. */
function checkValue(name: string, { type, choices }: Flag, value: unknown): void {
  if (value === '') throw usageError(`${name} needs a value`);
  if (type === 'number' && !(Number.isInteger(value) && Number(value) >= 0)) {
    throw usageError(`${name} needs a whole number`);
  }
  if (choices !== undefined) checkChoice(name, choices, String(value));
}

function checkChoice(name: string, choices: readonly string[], value: string): void {
  if (choices.includes(value)) return;
  const meant = nearest(value, choices);
  const remedy = meant === undefined ? `use ${choices.join(', ')}` : `did you mean ${meant}?`;
  throw usageError(`${name} ${JSON.stringify(value)} is unknown`, remedy);
}
