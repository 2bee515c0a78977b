/** `sluice stop`: an orderly end, waited for. */
import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { remoteFlags } from '../flags.ts';
import { askInstance } from '../remote.ts';

const pollMs = 50;

export const stop = defineCommand({
  name: 'stop',
  summary: 'Stop a running instance in order, and wait until it has',
  positionals: {},
  flags: remoteFlags,
  examples: [['sluice stop', 'no new flows, then wait for those there are, up to the drain deadline']],
  async run({ json, ...whom }, terminal) {
    const name = await askInstance(whom, async (instance) => {
      const { name, pid } = await instance.status();
      const isRunning = () =>
        instance.status().then(
          (view) => view.pid === pid,
          () => false,
        );
      await instance.stop();
      while (await isRunning()) await delay(pollMs);
      return name;
    });
    terminal.print(json ? JSON.stringify({ event: 'stopped', name }) : `${name} has stopped`);
    return ExitCode.fine;
  },
});
