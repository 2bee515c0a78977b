/** Keys that have a meaning in one mode only, in a service of another. */
import type { Finding } from './explain.ts';

/** The keys of a service that belong to one mode alone, by mode. */
export type ModeKeys = Readonly<Record<string, readonly string[]>>;

/** A finding for each key of another mode's in the services of a configuration as it was written. */
export function misplacedKeys(value: unknown, modeKeys: ModeKeys): Finding[] {
  const { services } = mapOf(value);
  if (!Array.isArray(services)) return [];
  return services.flatMap((item: unknown, index) => {
    const service = mapOf(item);
    const mode = String(service.mode ?? 'proxy');
    // A mode that is unknown is a finding of its own.
    if (!Object.hasOwn(modeKeys, mode)) return [];
    return Object.entries(modeKeys).flatMap(([owner, keys]) =>
      keys
        .filter((key) => owner !== mode && service[key] !== undefined)
        .map(
          (key): Finding => ({
            message: `${key} belongs to mode ${owner}, and this service is of mode ${mode}`,
            remedy: 'leave it out',
            path: ['services', index, key],
            unknownKey: true,
          }),
        ),
    );
  });
}

/** The keys of a map; none of what is no map. */
function mapOf(value: unknown): Readonly<Record<string, unknown>> & { services?: unknown; mode?: unknown } {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
