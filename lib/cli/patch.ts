/** What `drain`, `enable` and `weight` have in common: a change to a backend, and how it is afterwards. */
import type { BackendPatch } from '../control/controllable.ts';
import { ExitCode } from '../model/errors.ts';
import type { Flags, Positionals, Values } from './command.ts';
import { remoteFlags } from './flags.ts';
import { askInstance } from './remote.ts';
import { renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { backendColumns } from './views.ts';

export const backendPositional = {
  BACKEND: { describe: 'The backend, by name or address, as sluice backends lists it' },
} as const satisfies Positionals;

export const patchFlags = {
  service: {
    type: 'string',
    describe: 'Only in this service; in every one that has the backend unless given',
  },
  ...remoteFlags,
} as const satisfies Flags;

/** Changes the backend and shows it; `event` names the change in JSON. */
export async function patchBackend(
  event: string,
  { BACKEND, service, json, ...whom }: Values<typeof backendPositional, typeof patchFlags>,
  patch: BackendPatch,
  terminal: Terminal,
): Promise<ExitCode> {
  const backends = await askInstance(whom, (instance) => instance.patchBackend(service, BACKEND, patch));
  if (json) terminal.print(JSON.stringify({ event, backends }));
  else renderTable(backendColumns, backends, terminal.out).forEach(terminal.print);
  return ExitCode.fine;
}
