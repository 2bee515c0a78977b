/** Reads the command line and does what it says. */
import { ExitCode } from '../model/errors.ts';
import { printCompletions, readCommandLine } from './command-line.ts';
import { commands } from './commands.ts';
import { completionRequest } from './completion-scripts.ts';
import type { Terminal } from './terminal.ts';

/** Resolves to the exit code; rejects with what went wrong. No words at all ask for help. */
export async function runProgram(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (words[0] === completionRequest) {
    printCompletions(words, commands);
    return ExitCode.fine;
  }
  const line = readCommandLine(words.length === 0 ? ['--help'] : words, commands);
  if (line.command !== undefined) return line.command.run(line.values, terminal, line.rest);
  terminal.print(line.text);
  return ExitCode.fine;
}
