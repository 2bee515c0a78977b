/** Where the program starts. `--version` is answered before anything else is loaded. */
import process from 'node:process';
import { version } from '../daemon/version.ts';
import { report, wantsDebug } from './report.ts';
import { createTerminal, endQuietlyWhenUnread } from './terminal.ts';

const words = process.argv.slice(2);
const terminal = createTerminal({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  noColor: words.includes('--no-color'),
});

function fail(error: unknown): number {
  const { lines, exitCode } = report(error, terminal.err, wantsDebug(words));
  for (const line of lines) terminal.say(line);
  return exitCode;
}

endQuietlyWhenUnread(process);
process.on('uncaughtException', (error) => process.exit(fail(error)));

if (words[0] === '--version') terminal.print(version);
else {
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(words, terminal).catch(fail);
}
