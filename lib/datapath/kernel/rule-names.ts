/**
 * What sluice's own tables, chains and marks are called, so that they can be told from everyone else's. A chain is
 * PREFIX or PREFIX/PART; instances' names have no slash, so no instance's chain has the name of another's.
 */
import { createHash } from 'node:crypto';

/** iptables takes 28 characters for the name of a chain (XT_EXTENSION_MAXNAMELEN); this many are left for a PART. */
const longestPart = 7;
const longestPrefix = 28 - 1 - longestPart;

/** What every name that belongs to an instance begins with; a name that does not fit is replaced by its digest. */
export function rulePrefix(instance: string): string {
  const plain = `sluice-${instance}`;
  if (plain.length <= longestPrefix && /^[\w.-]+$/.test(plain)) return plain;
  return `sluice-${createHash('sha256').update(instance).digest('hex').slice(0, 12)}`;
}

/** Whether a chain or table called `name` belongs to the instance whose names begin with `prefix`. */
export function isRuleName(prefix: string, name: string): boolean {
  return name === prefix || name.startsWith(`${prefix}/`);
}

/**
 * With several workers iptables carries the hash from one rule to the next in the packet's mark: MARK_BASE + 1 +
 * worker, from the raw table to the mangle table of the same hook, which sets it to 0. A mark that was put on a packet
 * before that (by tc, or SO_MARK) is lost, for packets that come to the queues and for no others.
 */
export const markBase = 0x51ce0000;
export const markMask = 0xffff0000;
