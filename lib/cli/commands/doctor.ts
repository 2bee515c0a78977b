/** `sluice doctor`: what this machine lacks for a mode, and what a crash has left on it. */
import type { Surroundings } from '../../datapath/kernel/undo.ts';
import { ExitCode, SluiceError } from '../../model/errors.ts';
import { plural } from '../../model/units.ts';
import { defineCommand } from '../command.ts';
import { jsonFlag, outputFlags } from '../flags.ts';
import { createLog } from '../log.ts';

/** Something in the way of a mode, and what to do about it. */
interface Lack {
  readonly what: string;
  readonly fix: string;
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Say what this machine lacks for each mode, or undo what a crash has left',
  positionals: {},
  flags: {
    clean: {
      type: 'boolean',
      describe: 'Undo what instances that crashed have left: rules, settings, addresses',
    },
    ...jsonFlag,
    ...outputFlags,
  },
  examples: [
    ['sluice doctor', 'is everything there for sluice nat?'],
    ['sluice doctor --clean', 'put the machine back after a kill -9; the next start does it as well'],
  ],
  async run({ clean, json }, terminal) {
    const [{ runtimeDirectory }, { commandRunner }] = await Promise.all([
      import('../../control/path.ts'),
      import('../../datapath/kernel/command.ts'),
    ]);
    const directory = runtimeDirectory();
    const log = createLog({
      level: 'warn',
      format: 'text',
      style: terminal.err,
      now: () => new Date(),
      write: terminal.say,
    });
    const surroundings = { directory, run: commandRunner(directory), log };
    if (clean) {
      const { undone, left } = await cleanUp(surroundings);
      if (json) terminal.print(JSON.stringify({ event: 'clean', undone, left }));
      else if (undone.length + left.length === 0) terminal.print('nothing was left behind');
      else {
        for (const change of undone) terminal.print(`undone: ${change}`);
        for (const change of left) terminal.print(`still there: ${change}`);
      }
      return left.length === 0 ? ExitCode.fine : ExitCode.failed;
    }
    const lacks = await lacksOfNat(surroundings);
    const modes = [
      { mode: 'proxy', lacks: [] },
      { mode: 'nat', lacks },
    ];
    if (json) terminal.print(JSON.stringify({ event: 'doctor', modes }));
    else {
      for (const { mode, lacks } of modes) {
        terminal.print(
          lacks.length === 0 ? `${mode}: ready` : `${mode}: lacks ${plural(lacks.length, 'thing')}`,
        );
        for (const { what, fix } of lacks) terminal.print(`  ${what} — ${fix}`);
      }
    }
    return lacks.length === 0 ? ExitCode.fine : ExitCode.missing;
  },
});

/** What is in the way of mode nat. Rules can be asked about only by whoever may make them. */
async function lacksOfNat({ run }: Surroundings): Promise<readonly Lack[]> {
  const [{ obstacles }, { chooseRuleTool }] = await Promise.all([
    import('../../datapath/kernel/privileges.ts'),
    import('../../datapath/kernel/choose-tool.ts'),
  ]);
  const lacks = obstacles();
  if (lacks.length > 0) return lacks;
  try {
    await chooseRuleTool(run);
    return [];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return [{ what: error.message, fix: error.remedy ?? '' }];
  }
}

async function cleanUp(surroundings: Surroundings) {
  const [{ cleanLeftovers }, { changeKey, readJournals, standingOf }] = await Promise.all([
    import('../../datapath/kernel/undo.ts'),
    import('../../datapath/kernel/journal.ts'),
  ]);
  const undone = await cleanLeftovers(surroundings);
  const left = [...readJournals(surroundings.directory).values()]
    .filter((journal) => standingOf(journal) === 'dead')
    .flatMap(({ changes }) => changes.map(changeKey));
  return { undone, left };
}
