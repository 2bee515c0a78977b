/**
 * From words to a command and its values, or to help for whoever asks for it. Nothing runs here, so that a line can
 * be checked without doing what it says.
 */
import yargs, { type Argv } from 'yargs';
import { usageError } from '../model/errors.ts';
import { checkArguments, type ParsedArguments, unknownCommand, unknownFlag } from './check-arguments.ts';
import { type Command, camelCase, synopsis } from './command.ts';
import { commandHead, programHead } from './help.ts';

export type CommandLine =
  | {
      readonly command: Command;
      readonly values: Readonly<Record<string, never>>;
      readonly rest: readonly string[];
      readonly text?: never;
    }
  /** What to print instead of running anything. */
  | { readonly command?: never; readonly values?: never; readonly rest?: never; readonly text: string };

const helpColumns = 100;

/** @throws {SluiceError} with exit code 2 for what no command takes. */
export function readCommandLine(words: readonly string[], commands: readonly Command[]): CommandLine {
  let line: CommandLine | undefined;
  const program = declare(commands).middleware(
    // Before yargs validates: it stumbles over flags that are called like a method of objects.
    (given: ParsedArguments) => {
      if (given.help) return;
      const command = commandOf(given, commands);
      const parsed = withLastFlags(command, given);
      checkArguments(command, parsed);
      line = { command, values: valuesOf(command, parsed), rest: parsed['--'] ?? [] };
    },
    true,
  );
  program.parse([...words], {}, (_error: unknown, { _: [word] }: ParsedArguments, help: string) => {
    if (help === '') return;
    const command = commands.find(({ name }) => name === word);
    line = { text: `${command ? commandHead(command) : programHead()}\n\n${help}` };
  });
  return line!;
}

function commandOf({ _: [word], ...flags }: ParsedArguments, commands: readonly Command[]): Command {
  const command = commands.find(({ name }) => name === word);
  if (command !== undefined) return command;
  if (word !== undefined) throw unknownCommand(String(word), commands);
  const flag = Object.keys(flags).find((name) => name !== '$0' && name !== '--');
  throw flag === undefined ? usageError('the command is missing', 'see sluice --help') : unknownFlag(flag);
}

/**
 * Prints what a shell may put in place of the last word, with a description each when SHELL says zsh or fish, and ends
 * the process.
 */
export function printCompletions(words: readonly string[], commands: readonly Command[]): void {
  declare(commands).parse([...words]);
}

/** What the published types of yargs lack. */
type UntypedUsage = Argv & { usageConfiguration(options: { readonly 'hide-types': boolean }): Argv };

function declare(commands: readonly Command[]): Argv {
  const program = (yargs() as UntypedUsage)
    .usageConfiguration({ 'hide-types': true })
    .scriptName('sluice')
    .usage('Usage: sluice COMMAND')
    .locale('en')
    .wrap(helpColumns)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
    })
    .version(false)
    .option('version', { type: 'boolean', describe: 'Show the version', global: false })
    .help('help', 'Show help')
    .alias('help', 'h')
    // All that yargs could complain of is checked in words of our own.
    .fail(() => undefined);
  for (const command of commands) {
    program.command({
      command: yargsName(command),
      describe: command.summary,
      builder: (own) => declareArguments(own, command),
      handler: () => undefined,
    });
  }
  return program;
}

function declareArguments(program: Argv, command: Command): Argv {
  program.usage(`Usage: ${synopsis(command)}${Object.keys(command.flags).length > 0 ? ' [FLAG]...' : ''}`);
  for (const [name, { describe, choices }] of Object.entries(command.positionals)) {
    program.positional(name, { type: 'string', describe, ...(choices === undefined ? {} : { choices }) });
  }
  return program.options({ ...command.flags });
}

/** `weight <BACKEND> <N>`, `proxy <LISTEN> <BACKEND..>`, `completion [SHELL]`. */
function yargsName({ name, positionals }: Command): string {
  const words = Object.entries(positionals).map(([word, { many, optional }]) =>
    optional ? `[${word}${many ? '..' : ''}]` : `<${word}${many ? '..' : ''}>`,
  );
  return [name, ...words].join(' ');
}

/** A flag that is given twice comes as a list. */
function withLastFlags({ flags }: Command, given: ParsedArguments): ParsedArguments {
  const last = Object.entries(given).map(([name, value]) => [
    name,
    Object.hasOwn(flags, name) && Array.isArray(value) ? value.at(-1) : value,
  ]);
  return Object.fromEntries(last);
}

function valuesOf({ positionals, flags }: Command, parsed: ParsedArguments): Record<string, never> {
  const values = [
    ...Object.keys(positionals).map((name) => [name, parsed[name]]),
    ...Object.entries(flags).map(([name, { type }]) => [
      camelCase(name),
      type === 'boolean' ? parsed[name] === true : parsed[name],
    ]),
  ];
  return Object.fromEntries(values);
}
