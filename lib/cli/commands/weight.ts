/** `sluice weight`: changes a backend's share of new flows. */
import { usageError } from '../../model/errors.ts';
import { defineCommand } from '../command.ts';
import { backendPositional, patchBackend, patchFlags } from '../patch.ts';

const highestWeight = 65_535;

export const weight = defineCommand({
  name: 'weight',
  summary: "Set a backend's share of new flows",
  positionals: { ...backendPositional, N: { describe: `0 to ${highestWeight}; 0 takes no new flows` } },
  flags: patchFlags,
  examples: [['sluice weight 10.0.0.2:80 3', 'three times the share of a backend of weight 1']],
  run: (values, terminal) => patchBackend('weight', values, { weight: readWeight(values.N) }, terminal),
});

function readWeight(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= highestWeight) return Number(text);
  throw usageError(
    `${JSON.stringify(text)} is not a weight`,
    `use a whole number from 0 to ${highestWeight}`,
  );
}
