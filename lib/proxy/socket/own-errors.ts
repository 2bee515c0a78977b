/**
 * Errors of a connect that say something about this machine and nothing about the backend: they must not
 * take a backend down.
 */
const ownErrors: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Whether `code` is this machine's own fault: no descriptors, memory or ports are left. */
export function isOwnError(code: string): boolean {
  return ownErrors.has(code);
}
