/**
 * What became of a capture, a line for each packet and one for all:
 *
 *        1   0.000000  tcp 198.51.100.7:40000 → 192.0.2.10:80  ⇒ 10.0.2.12:8080
 *        2   0.000412  tcp 10.0.2.12:8080 → 10.0.2.1:61000  ⇒ 198.51.100.7:40000
 *        3   1.200031  tcp 198.51.100.8:1 → 192.0.2.10:80  ✗ no-flow
 */
import { formatCount, plural } from '../model/units.ts';
import type { CapturedPacket } from '../trace/capture.ts';
import type { CaptureSummary } from './capture.ts';
import type { Style } from './style.ts';

const numberWidth = 5;
const timeWidth = 10;

/** The line of a packet. */
export function packetLine(packet: CapturedPacket, style: Style): string {
  const { number, timeMs, protocol, source, destination } = packet;
  const place = `${String(number).padStart(numberWidth)} ${(timeMs / 1_000).toFixed(6).padStart(timeWidth)}`;
  const what = protocol === null ? 'not an IP packet' : `${protocol} ${source} → ${destination}`;
  return `${style.dim(place)}  ${what}  ${fate(packet, style)}`;
}

function fate({ verdict, reason, after }: CapturedPacket, style: Style): string {
  switch (verdict) {
    case 'rewritten':
      return `${style.green('⇒')} ${after!.destination}${reason === 'forwarded' ? '' : ` (${reason})`}`;
    case 'drop':
      return `${style.red('✗')} ${reason}`;
    case 'hold':
      return `${style.yellow('…')} ${reason}`;
    default:
      return `${style.dim('=')} ${reason}`;
  }
}

/** What it comes to. */
export function captureSummaryLines(
  { packets, written, reasons }: CaptureSummary,
  file: string | undefined,
  style: Style,
): string[] {
  const counts = Object.entries(reasons)
    .toSorted(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${formatCount(count)} ${reason}`);
  return [
    '',
    `${style.bold(plural(packets, 'packet'))}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`,
    ...(file === undefined ? [] : [`${plural(written, 'packet')} written to ${file}`]),
  ];
}
