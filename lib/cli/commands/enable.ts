/** `sluice enable`: undoes `drain`. */
import { defineCommand } from '../command.ts';
import { backendPositional, patchBackend, patchFlags } from '../patch.ts';

export const enable = defineCommand({
  name: 'enable',
  summary: 'Take a drained backend back',
  positionals: backendPositional,
  flags: patchFlags,
  examples: [['sluice enable 10.0.0.2:80', 'new flows again, once it is well']],
  run: (values, terminal) => patchBackend('enable', values, { state: 'enabled' }, terminal),
});
