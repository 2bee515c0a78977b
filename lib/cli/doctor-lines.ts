/**
 * What `sluice doctor` found, as lines for a person: a title for each mode, a line for each finding, and under a fault
 * or a warning the command that mends it.
 *
 *     nat: 1 fault
 *       ✓ rule-tool    nft
 *       ✗ snat-ports   61000-62000 of 61000-65535 are for this machine's own connections too
 *                      → sysctl -w net.ipv4.ip_local_reserved_ports=61000-65535
 */
import type { Finding, Verdict } from '../doctor/finding.ts';
import { plural } from '../model/units.ts';
import type { Paint, Style } from './style.ts';

const signs: Readonly<Record<Verdict, string>> = { ok: '✓', fault: '✗', warning: '!', moot: '–' };

/** The lines of one mode. */
export function doctorLines(mode: string, findings: readonly Finding[], style: Style): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(width + 6);
  const paints: Readonly<Record<Verdict, Paint>> = {
    ok: style.green,
    fault: style.red,
    warning: style.yellow,
    moot: style.dim,
  };
  return [
    `${style.bold(mode)}: ${summaryOf(findings)}`,
    ...findings.flatMap((finding) => {
      const { check, verdict, detail } = finding;
      return [
        `  ${paints[verdict](signs[verdict])} ${check.padEnd(width)}  ${detail}`,
        ...wayOut(finding).map((line) => `${indent}→ ${line}`),
      ];
    }),
  ];
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (wanted: Verdict) => findings.filter(({ verdict }) => verdict === wanted).length;
  const [faults, warnings] = [count('fault'), count('warning')];
  const parts = [
    ...(faults === 0 ? ['ready'] : [plural(faults, 'fault')]),
    ...(warnings === 0 ? [] : [plural(warnings, 'warning')]),
  ];
  return parts.join(', ');
}

function wayOut({ fix, on, advice }: Finding): string[] {
  return [
    ...(fix === undefined ? [] : [on === undefined ? fix : `on ${on}: ${fix}`]),
    ...(advice === undefined ? [] : [advice]),
  ];
}
