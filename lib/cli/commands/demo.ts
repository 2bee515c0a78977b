/** `sluice demo`: everything at once, for whoever wants to see it work. */
import { defineCommand } from '../command.ts';
import { foregroundFlags, instanceFlags } from '../flags.ts';

export const demo = defineCommand({
  name: 'demo',
  summary: 'Show it at work: embedded backends, a proxy and traffic; no root, no configuration',
  positionals: {},
  flags: {
    listen: { type: 'string', describe: 'Where the proxy listens: a free port of 127.0.0.1 unless given' },
    ...instanceFlags,
    ...foregroundFlags,
  },
  examples: [
    ['sluice demo', 'watch it; the other commands work on it too, from another terminal'],
    ['sluice demo --for 5s --json', 'for a script: a line a second, and a summary'],
  ],
  async run(flags, terminal) {
    const { runDemo } = await import('../demo/run.ts');
    return runDemo(flags, terminal);
  },
});
