/** What a command is: words for people, flags for yargs, and what it does. One file in `commands/` for each. */
import type { ExitCode } from '../model/errors.ts';
import type { Terminal } from './terminal.ts';

/** A flag; given twice, the last counts. Texts are read by whoever they are for, numbers are whole. */
export interface Flag {
  readonly type: 'boolean' | 'string' | 'number';
  readonly describe: string;
  readonly choices?: readonly string[];
  /** One letter. */
  readonly alias?: string;
}

/** By their names, without the dashes in front. */
export type Flags = Readonly<Record<string, Flag>>;

/** An argument that is known by its place. */
export interface Positional {
  readonly describe: string;
  /** It takes all that are left, one at least unless it is optional. */
  readonly many?: true;
  /** It may be left out; only the last may. */
  readonly optional?: true;
  readonly choices?: readonly string[];
}

/** In the order in which they are typed, by names in capitals. */
export type Positionals = Readonly<Record<string, Positional>>;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type FlagValue<F extends Flag> = F['type'] extends 'boolean'
  ? boolean
  : (F['type'] extends 'number' ? number : TextValue<F>) | undefined;

type PositionalValue<P extends Positional> = P extends { many: true }
  ? readonly string[] | (P extends { optional: true } ? undefined : never)
  : TextValue<P> | (P extends { optional: true } ? undefined : never);

type TextValue<T> = T extends { choices: readonly (infer Choice)[] } ? Choice : string;

/** What was typed: positionals by their names, flags by theirs in camel case (`--check-interval`: `checkInterval`). */
export type Values<P extends Positionals, F extends Flags> = {
  readonly [Name in keyof P]: PositionalValue<P[Name]>;
} & { readonly [Name in keyof F & string as CamelCase<Name>]: FlagValue<F[Name]> };

export interface Command<P extends Positionals = Positionals, F extends Flags = Flags> {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly positionals: P;
  readonly flags: F;
  /** What follows `--`, where that means something: `proxy ARGS...`. */
  readonly rest?: string;
  /** Lines to type, and what each does. */
  readonly examples: readonly (readonly [line: string, effect: string])[];
  run(values: Values<P, F>, terminal: Terminal, rest: readonly string[]): Promise<ExitCode>;
}

/** A command whose `run` knows the types of its own flags; to everybody else it is one of many. */
export function defineCommand<const P extends Positionals, const F extends Flags>(
  command: Command<P, F>,
): Command {
  return command as unknown as Command;
}

/** The command as it is typed: `sluice weight BACKEND N`. */
export function synopsis({ name, positionals, rest }: Command): string {
  const words = Object.entries(positionals).map(([word, { many, optional }]) =>
    optional ? `[${word}${many ? '...' : ''}]` : many ? `${word}...` : word,
  );
  return ['sluice', name, ...words, ...(rest === undefined ? [] : ['--', rest])].join(' ');
}

/** The name of a flag as its value is called. */
export function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
