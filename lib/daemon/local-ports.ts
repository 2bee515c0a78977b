/** The ports that Linux gives to connections of the machine's own, checks of backends among them. */
import { readFileSync } from 'node:fs';

const settingPath = '/proc/sys/net/ipv4/ip_local_port_range';

/**
 * The local ports, if any of `ports` is among them: an answer to a connection from such a port would be taken for one
 * to a rewritten packet. IPv6 has the same.
 */
export function overlapWithLocalPorts(
  [first, last]: readonly [first: number, last: number],
  setting = readFileSync(settingPath, 'utf8'),
): string | undefined {
  const [lowest, highest] = setting.trim().split(/\s+/).map(Number);
  return first <= highest! && last >= lowest! ? `${lowest}-${highest}` : undefined;
}
