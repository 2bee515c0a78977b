/**
 * Services that a person keeps between runs, each a name and the words that were typed for it. They lie in one JSON
 * file in the user's configuration directory (`~/.config/sluice/services.json` on Linux).
 */
import Conf from 'conf';
import { ExitCode, SluiceError, usageError } from '../model/errors.ts';

export interface SavedService {
  readonly name: string;
  /** `proxy` and its arguments. */
  readonly words: readonly string[];
}

interface Store extends Record<string, unknown> {
  readonly services: readonly SavedService[];
}

/** By name. */
export function savedServices(): readonly SavedService[] {
  return open().services;
}

/** Keeps a service in place of the one that had its name, if there was one. */
export function saveService(saved: SavedService): void {
  const { services, write } = open();
  write(
    [...services.filter(({ name }) => name !== saved.name), saved].sort((one, other) =>
      one.name < other.name ? -1 : 1,
    ),
  );
}

/** @throws {SluiceError} with exit code 2 if no service has the name. */
export function forgetService(name: string): void {
  const { services, write } = open();
  const others = services.filter((service) => service.name !== name);
  if (others.length === services.length) {
    throw usageError(`no service is saved as ${JSON.stringify(name)}`, 'see sluice services');
  }
  write(others);
}

function open(): { services: readonly SavedService[]; write(services: readonly SavedService[]): void } {
  const store = withReason(
    () =>
      new Conf<Store>({
        projectName: 'sluice',
        projectSuffix: '',
        configName: 'services',
        defaults: { services: [] },
      }),
  );
  const services: unknown = withReason(() => store.get('services'));
  if (!Array.isArray(services) || !services.every(isSavedService)) {
    throw new SluiceError('ERR_SLUICE_SAVED_INVALID', 'the saved services were changed by another hand', {
      exitCode: ExitCode.configInvalid,
      remedy: 'mend the file, or remove it to begin anew',
      place: store.path,
    });
  }
  return { services, write: (next) => withReason(() => store.set('services', next)) };
}

function isSavedService(value: unknown): value is SavedService {
  const { name, words } = (value ?? {}) as Partial<SavedService>;
  return typeof name === 'string' && Array.isArray(words) && words.every((word) => typeof word === 'string');
}

/** Says what is wrong with the file where conf only throws. */
function withReason<Result>(use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError) {
      throw new SluiceError('ERR_SLUICE_SAVED_INVALID', `the saved services are not JSON: ${message}`, {
        exitCode: ExitCode.configInvalid,
        remedy: 'mend the file, or remove it to begin anew',
        cause: error,
      });
    }
    if (code === undefined) throw error;
    throw new SluiceError('ERR_SLUICE_SAVED_NOT_WRITABLE', `services cannot be kept at ${path} (${code})`, {
      exitCode: ExitCode.missing,
      remedy: 'set XDG_CONFIG_HOME to a directory of your own',
      cause: error,
    });
  }
}
