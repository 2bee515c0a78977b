/**
 * What a configuration changes, as people read it: before it happens, and after. Every line fits 80 columns unless a
 * name is long.
 *
 *     edge-1: 1 service added, 1 changed, 3 unchanged
 *
 *     ~ web  nat, tcp://192.0.2.10:80: backends
 *         + 10.0.2.13:80
 *         ~ 10.0.2.12:80  weight 1 → 2
 *         slots  34.1% move, 33.3% have to
 *         flows  1,204 live: 802 stay, 402 (33%) are cut within 10s
 */
import { formatDuration } from '../model/duration.ts';
import type { FlowExample, FlowsPlan, PlanView, ServicePlan, SlotsPlan } from '../model/plan.ts';
import { formatCount, formatShare, plural } from '../model/units.ts';
import type { Paint, Style } from './style.ts';

const indent = '    ';

/** The lines of a plan, or of what a reload has done. */
export function planLines(plan: PlanView, style: Style): string[] {
  const { services, flows, drainMs, needRestart, refused } = plan;
  return [
    headline(plan, style),
    ...fateOf(flows),
    ...services.flatMap((service) => ['', ...serviceLines(service, drainMs, style)]),
    ...section('do not stay, for example', flows.examples.map(exampleLine)),
    ...section('change only after a restart', needRestart),
    ...(refused === null
      ? []
      : ['', `${style.red('a reload would be refused')}: ${refused.message}`, ...remedy(refused.remedy)]),
  ];
}

function headline({ name, services, unchanged }: PlanView, style: Style): string {
  const counts = (['added', 'changed', 'removed'] as const)
    .map((kind) => [services.filter(({ change }) => change === kind).length, kind] as const)
    .filter(([count]) => count > 0);
  if (counts.length === 0) return `${style.bold(name)}: nothing changes`;
  const parts = counts.map(([count, kind], index) =>
    index === 0 ? `${plural(count, 'service')} ${kind}` : `${count} ${kind}`,
  );
  const rest = unchanged.length === 0 ? [] : [`${unchanged.length} unchanged`];
  return `${style.bold(name)}: ${[...parts, ...rest].join(', ')}`;
}

function fateOf({ live, stay }: FlowsPlan): string[] {
  if (live === stay) return [];
  return [`${formatCount(live - stay)} of ${plural(live, 'live flow')} ${live - stay === 1 ? 'goes' : 'go'}`];
}

const signs = { added: '+', changed: '~', removed: '-' } as const;

function serviceLines(service: ServicePlan, drainMs: number, style: Style): string[] {
  const { name, change, mode, listen, parts, backends, slots, flows } = service;
  const paint = paintOf(change, style);
  const what = parts.length === 0 ? '' : `: ${parts.join(', ')}`;
  return [
    `${paint(signs[change])} ${style.bold(name)}  ${mode}, ${listen}${what}`,
    ...backends.added.map((backend) => `${indent}${style.green('+')} ${backend}`),
    ...backends.removed.map((backend) => `${indent}${style.red('-')} ${backend}`),
    ...backends.changed.map(
      (backend) =>
        `${indent}${style.yellow('~')} ${backend.name}  weight ${backend.weight.from} → ${backend.weight.to}`,
    ),
    ...(slots === null ? [] : [`${indent}${style.dim('slots')}  ${slotsText(slots)}`]),
    ...(change === 'added' ? [] : [`${indent}${style.dim('flows')}  ${flowsText(flows, drainMs)}`]),
  ];
}

function paintOf(change: ServicePlan['change'], style: Style): Paint {
  if (change === 'added') return style.green;
  return change === 'removed' ? style.red : style.yellow;
}

function slotsText({ slots, moved, unavoidable }: SlotsPlan): string {
  if (moved === 0) return `none of ${formatCount(slots)} moves`;
  return `${percent(moved, slots)} move (${formatCount(moved)} of ${formatCount(slots)}), ${percent(unavoidable, slots)} have to`;
}

function flowsText({ live, stay, move, cut }: FlowsPlan, drainMs: number): string {
  if (live === 0) return 'none live';
  if (stay === live) return `${formatCount(live)} live, all stay`;
  const parts = [
    ...(stay > 0 ? [`${formatCount(stay)} stay`] : []),
    ...(move > 0 ? [`${formatCount(move)} (${formatShare(move, live)}) move`] : []),
    ...(cut > 0 ? [`${formatCount(cut)} (${formatShare(cut, live)}) are cut`] : []),
  ];
  return `${formatCount(live)} live: ${parts.join(', ')} within ${formatDuration(drainMs)}`;
}

function exampleLine({ protocol, client, vip, backend, fate }: FlowExample): string {
  const where = backend === null ? '' : ` on ${backend}`;
  return `${protocol} ${client} → ${vip}${where}: ${fate === 'move' ? 'moves' : 'cut'}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function remedy(text: string | null): string[] {
  return text === null ? [] : [`  ${text}`];
}

/** Slots are so many that whole per cent would hide most changes. */
function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)}%`;
}
