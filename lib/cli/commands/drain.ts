/** `sluice drain`: takes a backend out without cutting anybody off. */
import { defineCommand } from '../command.ts';
import { backendPositional, patchBackend, patchFlags } from '../patch.ts';

export const drain = defineCommand({
  name: 'drain',
  summary: 'Send no new flows to a backend; those it has go on',
  positionals: backendPositional,
  flags: patchFlags,
  examples: [['sluice drain 10.0.0.2:80', 'before maintenance; sluice enable takes it back']],
  run: (values, terminal) => patchBackend('drain', values, { state: 'draining' }, terminal),
});
