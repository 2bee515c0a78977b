/** What only shows once names have become addresses: between which of them no packet can go. */
import { dsrFindings } from '../config/dsr-findings.ts';
import { natFindings } from '../config/nat-findings.ts';
import { SluiceError } from '../model/errors.ts';
import type { ServiceSpec } from '../model/spec.ts';
import type { Addresses } from './resolve.ts';

/** Throws ERR_SLUICE_UNROUTABLE for addresses, now that names have become such, between which packets cannot go. */
export function requireRoutable(services: readonly ServiceSpec[], addresses: Addresses): void {
  const resolved = services.map((service) => ({
    ...service,
    listen: service.listen.map((listen) => ({ ...listen, host: addresses(listen.host) })),
    backends: service.backends.map((backend) => ({ ...backend, host: addresses(backend.host) })),
  }));
  const [finding] = [...natFindings(resolved, undefined), ...dsrFindings(resolved, undefined)];
  if (finding === undefined) return;
  const { message, remedy } = finding;
  throw new SluiceError('ERR_SLUICE_UNROUTABLE', message, remedy === undefined ? {} : { remedy });
}
