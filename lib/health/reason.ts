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
  EADDRINUSE: 'no local port left',
  EADDRNOTAVAIL: 'no local port left',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
};

/** Codes of what the backend itself has said, and of what never left this machine. */
const answers = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'EPROTO']);
const takenPorts = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);
const ownTroubles = new Set([...takenPorts, 'EMFILE', 'ENFILE', 'ENOTFOUND', 'EAI_AGAIN']);

/** A backend that was reached and gave the wrong answer; the message is the reason. */
export class UnwellError extends Error {
  override readonly name = 'UnwellError';
}

/** Nobody could even be asked; the message is the reason. */
export class OwnTroubleError extends Error {
  override readonly name = 'OwnTroubleError';
}

/** The reason behind anything thrown; an error that has none of its own is named by its code or message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UnwellError) return error.message;
  if (error.name === 'HTTPParserError') return 'answer is not HTTP';
  const code = codeOf(error);
  return code === undefined ? error.message : reasonOfCode(code);
}

/** Whether whoever was asked has answered, though not well. */
export function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof UnwellError || error.name === 'HTTPParserError') return true;
  const code = codeOf(error);
  return code !== undefined && (answers.has(code) || code.startsWith('ERR_SSL_'));
}

/** Whether the question never left this machine. */
export function isOwnTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof OwnTroubleError || ownTroubles.has(codeOf(error) ?? '');
}

/** Whether somebody else has the local port that was asked for. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof Error && takenPorts.has(codeOf(error) ?? '');
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The reason behind the code of an error (`ECONNREFUSED`); a code without a reason stands for itself. */
export function reasonOfCode(code: string): string {
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return 'TLS handshake failed';
  return reasons[code] ?? code;
}
