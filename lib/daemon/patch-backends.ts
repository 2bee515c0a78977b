/** Backends changed by a person while they serve. */
import type { Backend } from '../balance/backend.ts';
import type { BackendPatch } from '../control/controllable.ts';
import { formatBackend } from '../model/address.ts';
import { SluiceError } from '../model/errors.ts';
import type { RunningService } from './running-service.ts';

/** What a person means: a backend by its name or address, in one service, or undefined for all. */
export interface WantedBackend {
  readonly service: string | undefined;
  readonly backend: string;
}

/** Changes those that are meant and answers with them. Throws ERR_SLUICE_NO_SUCH_BACKEND. */
export function patchBackends(
  services: Iterable<RunningService>,
  wanted: WantedBackend,
  { weight, state }: BackendPatch,
): readonly (readonly [RunningService, Backend])[] {
  const patched: (readonly [RunningService, Backend])[] = [];
  for (const service of services) {
    if (wanted.service !== undefined && service.spec.name !== wanted.service) continue;
    for (const backend of service.pool.backends) {
      const names = [backend.name, formatBackend(backend.address, backend.port)];
      if (backend.removed || !names.includes(wanted.backend)) continue;
      if (weight !== undefined) service.pool.setWeight(backend, weight);
      if (state !== undefined) service.pool.setAdmin(backend, state);
      patched.push([service, backend]);
    }
  }
  if (patched.length > 0) return patched;
  const where = wanted.service === undefined ? '' : ` in service "${wanted.service}"`;
  throw new SluiceError('ERR_SLUICE_NO_SUCH_BACKEND', `there is no backend "${wanted.backend}"${where}`, {
    remedy: '`sluice backends` lists them',
  });
}
