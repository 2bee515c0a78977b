/**
 * Why a backend is not well, in a few words that never change once released: people read them in the backend
 * list, scripts compare them. The same error has the same reason whether a check or a client met it.
 */

/** The reason of whatever did not answer in time, or at all. */
export const timedOut = 'timed out';

/** By the `code` of a Node or undici error. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'connection closed',
  ETIMEDOUT: timedOut,
  EHOSTUNREACH: 'host unreachable',
  EHOSTDOWN: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network unreachable',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name server does not answer',
  EADDRNOTAVAIL: 'no local port left',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
};

/** A backend that was reached and gave the wrong answer; the message is the reason. */
export class UnwellError extends Error {
  override readonly name = 'UnwellError';
}

/** The reason behind anything thrown; an error that has none of its own is named by its code or message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UnwellError) return error.message;
  if (error.name === 'HTTPParserError') return 'answer is not HTTP';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code === undefined ? error.message : reasonOfCode(code);
}

/** The reason behind the code of an error (`ECONNREFUSED`); a code without a reason stands for itself. */
export function reasonOfCode(code: string): string {
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return 'TLS handshake failed';
  return reasons[code] ?? code;
}
