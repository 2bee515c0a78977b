/**
 * What sluice's own tables, chains and marks are called, so that they can be told from everyone else's. A chain is
 * PREFIX or PREFIX/PART. Whoever holds something is an instance, or its second packet path: `edge`, `edge/dsr`.
 * Instances' names have no slash and parts are few, so that no holder's chain has the name of another's.
 */
import { createHash } from 'node:crypto';

/** iptables takes 28 characters for the name of a chain (XT_EXTENSION_MAXNAMELEN); this many are left for a PART. */
const longestPart = 7;
const longestPrefix = 28 - 1 - longestPart;

/** The end of a chain's name, as an extended regular expression: the number of a worker, or what the chain is for. */
export const partPattern = '/([0-9]+|src|dst|whole|in|mss|mangle)';
const part = new RegExp(`${partPattern}$`);

/** What every name that belongs to a holder begins with; a name that does not fit is replaced by its digest. */
export function rulePrefix(holder: string): string {
  const plain = `sluice-${holder}`;
  if (plain.length <= longestPrefix && /^[\w.-]+(\/[a-z]+)?$/.test(plain)) return plain;
  return `sluice-${createHash('sha256').update(holder).digest('hex').slice(0, 12)}`;
}

/** Whether a chain or table called `name` belongs to the holder whose names begin with `prefix`. */
export function isRuleName(prefix: string, name: string): boolean {
  return name === prefix || prefixOf(name) === prefix;
}

/** What the name of a chain or table begins with, without its part. */
export function prefixOf(name: string): string {
  return name.replace(part, '');
}

/**
 * With several workers iptables carries the hash from one rule to the next in the packet's mark: MARK_BASE + 1 +
 * worker, from the raw table to the mangle table of the same hook, which sets it to 0. A mark that was put on a packet
 * before that (by tc, or SO_MARK) is lost, for packets that come to the queues and for no others.
 */
export const markBase = 0x51ce0000;
export const markMask = 0xffff0000;
