/** `sluice doctor`: what is in the way of a mode on this machine, and what a crash has left on it. */
import type { Finding } from '../../doctor/finding.ts';
import { type DoctorMode, doctorModes } from '../../doctor/modes.ts';
import type { Subject } from '../../doctor/subject.ts';
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { doctorLines } from '../doctor-lines.ts';
import { findSubject } from '../doctor-subject.ts';
import { jsonFlag, outputFlags } from '../flags.ts';
import { createLog } from '../log.ts';
import type { Terminal } from '../terminal.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Say what is in the way of each mode and how to mend it, or undo what a crash has left',
  positionals: {
    MODE: {
      describe: `${doctorModes.join(', ')}; all of them unless given`,
      choices: doctorModes,
      optional: true,
    },
  },
  flags: {
    file: {
      type: 'string',
      alias: 'f',
      describe: 'Look at the services of this configuration file; at those that run unless given',
    },
    clean: {
      type: 'boolean',
      describe: 'Undo what instances that crashed have left: rules, settings, addresses',
    },
    ...jsonFlag,
    ...outputFlags,
  },
  examples: [
    ['sluice doctor nat', 'is everything there for sluice nat? And the commands that mend it'],
    ['sluice doctor backend', 'send a packet through the tunnels of the sluice backend that runs here'],
    ['sluice doctor -f edge.yaml', 'the same for a configuration: its VIPs, its backends, the ways to them'],
    ['sluice doctor --clean', 'put the machine back after a kill -9; the next start does it as well'],
  ],
  async run({ MODE, file, clean, json }, terminal) {
    const { runtimeDirectory } = await import('../../control/path.ts');
    const directory = runtimeDirectory();
    if (clean) return cleanUp(directory, json, terminal);
    const subject = await findSubject(file);
    const found = await examineAll(modesOf(MODE, file, subject), directory, subject);
    const modes = found.map(({ mode, checks }) => ({ mode, ready: isReady(checks), checks }));
    if (json) terminal.print(JSON.stringify({ event: 'doctor', modes }));
    else {
      for (const { mode, checks } of modes) doctorLines(mode, checks, terminal.out).forEach(terminal.print);
      if (subject.services.length === 0 && MODE !== 'backend')
        terminal.say('VIPs and backends were not looked at: name a configuration with -f FILE');
    }
    return modes.every(({ ready }) => ready) ? ExitCode.fine : ExitCode.missing;
  },
});

/** A mode that is named, those of the file, or all. */
function modesOf(
  named: DoctorMode | undefined,
  file: string | undefined,
  { services }: Subject,
): readonly DoctorMode[] {
  if (named !== undefined) return [named];
  if (file === undefined) return doctorModes;
  return doctorModes.filter((mode) => services.some((service) => service.mode === mode));
}

function isReady(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'fault');
}

async function examineAll(modes: readonly DoctorMode[], directory: string, subject: Subject) {
  const [{ examine, examineElsewhere }, { gatherFacts }, { thisMachine }] = await Promise.all([
    import('../../doctor/examine.ts'),
    import('../../doctor/facts.ts'),
    import('../../doctor/machine.ts'),
  ]);
  const machine = thisMachine(directory);
  const { platform } = machine;
  if (platform !== 'linux') return modes.map((mode) => ({ mode, checks: examineElsewhere(mode, platform) }));
  const facts = await gatherFacts(machine, directory, subject, { trials: modes.includes('backend') });
  return modes.map((mode) => ({ mode, checks: examine(mode, facts, subject) }));
}

async function cleanUp(directory: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const [{ cleanLeftovers }, { commandRunner }, { changeKey, readJournals, standingOf }] = await Promise.all([
    import('../../datapath/kernel/undo.ts'),
    import('../../datapath/kernel/command.ts'),
    import('../../datapath/kernel/journal.ts'),
  ]);
  const log = createLog({
    level: 'warn',
    format: 'text',
    style: terminal.err,
    now: () => new Date(),
    write: terminal.say,
  });
  const undone = await cleanLeftovers({ directory, run: commandRunner(directory), log });
  const left = [...readJournals(directory).values()]
    .filter((journal) => standingOf(journal) === 'dead')
    .flatMap(({ changes }) => changes.map(changeKey));
  if (json) terminal.print(JSON.stringify({ event: 'clean', undone, left }));
  else if (undone.length + left.length === 0) terminal.print('nothing was left behind');
  else {
    for (const change of undone) terminal.print(`undone: ${change}`);
    for (const change of left) terminal.print(`still there: ${change}`);
  }
  return left.length === 0 ? ExitCode.fine : ExitCode.failed;
}
