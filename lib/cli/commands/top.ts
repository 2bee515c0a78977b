/** `sluice top`: the dashboard, attached to a running instance; lines of numbers where there is no screen for it. */
import { ExitCode, usageError } from '../../model/errors.ts';
import { viewNames } from '../../tui/state.ts';
import { defineCommand } from '../command.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance } from '../remote.ts';

const defaultSize = '120x36';

export const top = defineCommand({
  name: 'top',
  summary: 'Watch a running instance: its traffic, flows, backends and log, live',
  positionals: {},
  flags: {
    view: { type: 'string', choices: viewNames, describe: `Begin with ${viewNames.join(', ')}` },
    snapshot: { type: 'string', describe: 'Write what it would show as a picture to this file, FILE.svg' },
    size: { type: 'string', describe: `Of the picture, in characters: ${defaultSize} unless given` },
    for: { type: 'string', describe: 'Stop by itself after this time: 30s, 5m' },
    ...remoteFlags,
  },
  examples: [
    ['sluice top', 'the dashboard of the instance; ? shows its keys, q leaves it'],
    ['sluice top --view flows --name edge-1', 'who talks to whom, the fastest first'],
    ['sluice top --snapshot edge.svg --view backends', 'a picture for a document or a bug report'],
    ['sluice top --json --for 1m', 'for a script: numbers each second, and the log as it comes'],
  ],
  async run({ view, snapshot, size, for: duration, json, ...whom }, terminal) {
    if (size !== undefined && snapshot === undefined) {
      throw usageError('--size is of a picture', 'add --snapshot FILE.svg');
    }
    const { watchInstance, drawInstance } = await import('../top.ts');
    return askInstance(whom, async (instance) => {
      // Whoever does not answer at all is not waited for.
      await instance.status();
      if (snapshot !== undefined) {
        await drawInstance(instance, { file: snapshot, view: view ?? 'overview', size: size ?? defaultSize });
      } else {
        await watchInstance(instance, { view, duration, json, terminal });
      }
      return ExitCode.fine;
    });
  },
});
