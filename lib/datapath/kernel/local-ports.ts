/** The ports that Linux gives to connections of the machine's own, checks of backends among them; IPv6 has the same. */
import type { PortRange } from './description.ts';
import { type ReadSetting, readSetting } from './sysctls.ts';

/**
 * Those of `ports` that the machine may use itself: an answer to a connection from such a port would be taken for one
 * to a rewritten packet. What `ip_local_reserved_ports` holds back is not among them.
 */
export function overlapWithLocalPorts(
  [first, last]: PortRange,
  read: ReadSetting = readSetting,
): readonly PortRange[] {
  const [lowest = 0, highest = 0] = (read('net/ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  const reserved = rangesOf(read('net/ipv4/ip_local_reserved_ports') ?? '');
  const shared: PortRange = [Math.max(first, lowest), Math.min(last, highest)];
  return reserved.reduce<readonly PortRange[]>(
    (left, taken) => left.flatMap((range) => without(range, taken)),
    without(shared, [0, 0]),
  );
}

/** `61000-65535,70`. */
function rangesOf(text: string): readonly PortRange[] {
  return text
    .split(',')
    .filter(Boolean)
    .map((each) => {
      const [first = 0, last = first] = each.split('-').map(Number);
      return [first, last];
    });
}

function without([first, last]: PortRange, [from, to]: PortRange): readonly PortRange[] {
  const left: readonly PortRange[] = [
    [first, Math.min(last, from - 1)],
    [Math.max(first, to + 1), last],
  ];
  return left.filter(([lowest, highest]) => lowest <= highest);
}
