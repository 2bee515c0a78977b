/** What the host of a listener is bound as: one literal address, or every address of both families. */
import { constants } from 'node:os';

const noSuchFamily = -constants.errno.EAFNOSUPPORT;

/**
 * Calls `bind` with a literal address, or, for an empty host, with every address: both families on one socket, and
 * IPv4 alone on a machine that knows no other. Returns what `bind` returned last, an errno negated if it failed.
 */
export function bindHost(host: string, bind: (address: string, onlyIpv6: boolean) => number): number {
  if (host !== '') return bind(host, true);
  const result = bind('::', false);
  return result === noSuchFamily ? bind('0.0.0.0', false) : result;
}
