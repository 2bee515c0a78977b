/** Ports that backends have to name in one mode and must not in another: what the schema alone cannot tell. */
import { parseBackend, parseBackendAddress } from '../model/address.ts';
import { SluiceError } from '../model/errors.ts';
import type { Finding } from './explain.ts';

/** A finding for each backend without a port that needs one, in a configuration as it was written. */
export function missingPorts(value: unknown): Finding[] {
  const { services } = mapOf(value);
  if (!Array.isArray(services)) return [];
  return services.flatMap((item: unknown, index) => {
    const { mode, backends } = mapOf(item);
    if (mode === 'dsr' || !Array.isArray(backends)) return [];
    return backends.flatMap((backend: unknown, place) =>
      missingPort(backend, ['services', index, 'backends', place]),
    );
  });
}

function missingPort(backend: unknown, path: Finding['path']): Finding[] {
  if (typeof backend === 'string') return refusal(() => parseBackend(backend, 'required'), path);
  const { address } = mapOf(backend);
  if (typeof address !== 'string') return [];
  return refusal(() => parseBackendAddress(address, 'required'), [...path, 'address']);
}

function refusal(read: () => unknown, path: Finding['path']): Finding[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return [{ message: error.message, remedy: error.remedy, path }];
  }
}

type Keys = 'services' | 'mode' | 'backends' | 'address';

/** The keys of a map; none of what is no map. */
function mapOf(value: unknown): Readonly<Partial<Record<Keys, unknown>>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
