/** Health checks in short, the same on the command line and in a file; and what can be wrong with their parts. */
import { usageError } from '../model/errors.ts';
import type { CheckSpec, CheckTiming, Listen } from '../model/spec.ts';

/** The HTTP status codes that are well unless a check says otherwise. */
export const defaultStatus = '200-399';

/** What checks the backends of a service that does not say: nothing for UDP, as no datagram suits every server. */
export function defaultCheck(listen: readonly Listen[]): string {
  return listen.every(({ protocol }) => protocol === 'udp') ? 'none' : 'tcp';
}

/**
 * Reads the short form: `tcp`, `http:/path`, `https:/path`, `udp:HEX` or `udp:HEX/HEX` (what is sent, and how the answer
 * begins), `exec:COMMAND`, `none`.
 */
export function parseCheck(text: string, timing: CheckTiming): CheckSpec {
  const [, type, argument] = /^([^:]*)(?::(.*))?$/s.exec(text)!;
  const refuse = (problem: string, remedy: string) =>
    usageError(`${JSON.stringify(text)} is not a check: ${problem}`, remedy);
  switch (type) {
    case 'none':
    case 'tcp':
      if (argument !== undefined) throw refuse(`${type} stands alone`, `write ${type}`);
      return type === 'none' ? { type } : { ...timing, type };
    case 'http':
    case 'https': {
      if (!argument) throw refuse('the path is missing', `write ${type}:/PATH`);
      const path = parsePath(argument);
      return { ...timing, type: 'http', tls: type === 'https', path, status: parseStatus(defaultStatus) };
    }
    case 'udp': {
      if (!argument) throw refuse('the bytes to send are missing', 'write udp:HEX');
      const slash = argument.indexOf('/');
      if (slash < 0) return { ...timing, type, send: parseHex(argument) };
      const [send, expect] = [argument.slice(0, slash), argument.slice(slash + 1)];
      return { ...timing, type, send: parseHex(send), expect: parseHex(expect) };
    }
    case 'exec':
      if (!argument) throw refuse('the command is missing', 'write exec:COMMAND');
      return { ...timing, type, command: argument };
    default:
      throw refuse(
        `type ${JSON.stringify(type)} is unknown`,
        'use tcp, http:/PATH, https:/PATH, udp:HEX, exec:COMMAND or none',
      );
  }
}

/** An HTTP request target in origin form (RFC 9112 §3.2.1), as it will be sent: no spaces, ASCII only. */
export function parsePath(text: string): string {
  if (/^\/(?!\/)[!-~]*$/.test(text)) return text;
  throw usageError(
    `${JSON.stringify(text)} is not a path`,
    'begin it with one /, and percent-encode the rest',
  );
}

/** The value of a Host header, `HOST` or `HOST:PORT`. */
export function parseHostHeader(text: string): string {
  if (/^[\w.:[\]-]+$/.test(text)) return text;
  throw usageError(`${JSON.stringify(text)} is not a host`, 'write HOST or HOST:PORT');
}

/** A status code or a range of them, ends included: `204`, `200-399`. */
export function parseStatus(text: string): readonly [lowest: number, highest: number] {
  const [, first, last] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? [];
  const lowest = Number(first);
  const highest = Number(last ?? first);
  if (lowest <= highest) return [lowest, highest];
  throw usageError(`${JSON.stringify(text)} is not a range of status codes`, 'write 200 or 200-399');
}

/** Whole bytes in hexadecimal, one at least. */
export function parseHex(text: string): string {
  if (/^(?:[\da-f]{2})+$/i.test(text)) return text.toLowerCase();
  throw usageError(`${JSON.stringify(text)} is not hexadecimal`, 'write two digits a byte, as in 00ff');
}
