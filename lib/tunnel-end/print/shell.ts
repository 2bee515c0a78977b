/**
 * The plan as a script for sh. It may be run again, keeps the settings that it finds, and undoes itself when it is told
 * `undo`; the files for systemd stand behind it, where they do nothing.
 */
import { addressChange } from '../../datapath/kernel/addresses.ts';
import type { TableRules } from '../../datapath/kernel/iptables-restore.ts';
import { rulePrefix } from '../../datapath/kernel/rule-names.ts';
import { type Setting, sysctlCommand, sysctlName } from '../../datapath/kernel/sysctls.ts';
import type { TunnelEndSpec } from '../../model/tunnel-end.ts';
import { furnishing } from '../devices.ts';
import { saysAnything, type TunnelEndPlan } from '../plan.ts';
import { tunnelRules } from '../rules/script.ts';

const programs = [
  [4, '$four'],
  [6, '$six'],
] as const;

export function shellScript(
  spec: TunnelEndSpec,
  plan: TunnelEndPlan,
  files: Readonly<Record<string, string>>,
): string {
  const kept = `/run/${rulePrefix(spec.name)}.sysctl`;
  const wrong = plan.settings.filter(({ current, wanted }) => current !== wanted);
  return [
    '#!/bin/sh',
    `# Makes this machine a backend of sluice dsr for ${plan.rules.vips.join(', ')}.`,
    '# sh FILE does it, sh FILE undo puts everything back. Nothing of it outlives the next start of the machine.',
    'set -eu',
    '',
    ...(saysAnything(plan.rules)
      ? ruleLines(spec.name, plan)
      : ['up_rules() { :; }', 'undo_rules() { :; }', '']),
    'up() {',
    ...indent([
      'up_rules',
      ...plan.devices.flatMap(({ name, type, inner }) => {
        const { address, settings } = furnishing(name, inner);
        return [
          `ip link show dev ${name} >/dev/null 2>&1 || ip link add ${name} type ${type.join(' ')}`,
          ...settings.map((setting) => quiet(sysctlCommand(setting))),
          ...(address === undefined ? [] : [`ip address replace ${address.join(' ')} dev ${name}`]),
          `ip link set ${name} up`,
        ];
      }),
      ...keepLines(kept, wrong),
      ...addressWords(plan).map(({ spec: words, options = [] }) =>
        ['ip address replace', ...words, ...options].join(' '),
      ),
    ]),
    '}',
    '',
    'undo() {',
    ...indent([
      ...addressWords(plan).map(({ spec: words }) => `ip address delete ${words.join(' ')} || true`),
      ...(wrong.length === 0 ? [] : [`if [ -f ${kept} ]; then sysctl -q -p ${kept} && rm ${kept}; fi`]),
      ...plan.devices.map(({ name }) => `ip link delete ${name} || true`),
      'undo_rules',
    ]),
    '}',
    '',
    'case "$*" in undo) undo ;; *) up ;; esac',
    '',
    '# The same for systemd, but for the rules: the script has to bring those in at every start.',
    ...Object.entries(files).flatMap(([path, text]) => [
      '#',
      `# ${path}`,
      ...text.trimEnd().split('\n').map(comment),
    ]),
  ].join('\n');
}

/** Nft where it works, else iptables; both in one transaction for each table. */
function ruleLines(holder: string, { rules }: TunnelEndPlan): string[] {
  const { nft, iptables } = tunnelRules(holder, rules);
  const table = /^table inet \S+/m.exec(nft)![0];
  return [
    'four=iptables six=ip6tables',
    // To list them would not do: the nf_tables kind shows tables that the kernel does not have.
    'iptables -t raw -N sluice-probe 2>/dev/null && iptables -t raw -X sluice-probe || {',
    '  four=iptables-legacy six=ip6tables-legacy',
    '}',
    '',
    'up_rules() {',
    "  nft -f - 2>/dev/null <<'END' && return",
    `${nft.trimEnd()}`,
    'END',
    ...programs.flatMap(([family, program]) => iptables[family].flatMap((each) => tableLines(program, each))),
    '}',
    '',
    'undo_rules() {',
    `  nft delete ${table} 2>/dev/null && return`,
    ...programs.flatMap(([family, program]) => iptables[family].flatMap((each) => undoLines(program, each))),
    '  return 0',
    '}',
    '',
  ];
}

function tableLines(program: string, { table, jumps, chains, rules }: TableRules): string[] {
  return [
    `  ${program}-restore -w 5 --noflush <<'END'`,
    `*${table}`,
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...rules,
    'COMMIT',
    'END',
    ...jumps.map((jump) => {
      const add = `${program} -w 5 -t ${table} ${jump}`;
      return `  ${add.replace(' -A ', ' -C ')} 2>/dev/null || ${add}`;
    }),
  ];
}

function undoLines(program: string, { table, jumps, chains }: TableRules): string[] {
  const each = `${program} -w 5 -t ${table}`;
  return [
    ...jumps.map((jump) => `  ${each} ${jump.replace('-A', '-D')} || true`),
    ...chains.map((chain) => `  ${each} -F ${chain} || true`),
    ...chains.map((chain) => `  ${each} -X ${chain} || true`),
  ];
}

function keepLines(kept: string, settings: readonly Setting[]): string[] {
  if (settings.length === 0) return [];
  return [
    `[ -f ${kept} ] || sysctl ${settings.map(({ path }) => sysctlName(path)).join(' ')} >${kept}`,
    ...settings.map((setting) => quiet(sysctlCommand(setting))),
  ];
}

function addressWords({ addresses }: TunnelEndPlan) {
  return addresses.map(addressChange);
}

function quiet(command: string): string {
  return `${command} >/dev/null`;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function comment(line: string): string {
  return line === '' ? '#' : `#   ${line}`;
}
