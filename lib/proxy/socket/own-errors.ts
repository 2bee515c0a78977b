/**
 * Errors of a connect or a send that say nothing about the backend and must not take it down: this machine has
 * no descriptors, memory or ports left, or a datagram is larger than the path or the protocol allows.
 */
const ownErrors: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'EMSGSIZE',
]);

/** Whether `code` is no fault of the backend. */
export function isOwnError(code: string): boolean {
  return ownErrors.has(code);
}
