/** The lines at the top: what instance it is, whether it answers, and which views there are. */

import { formatCount, plural } from '../model/units.ts';
import type { LogEntry } from '../model/view.ts';
import { shortAge, shortAmount } from './amounts.ts';
import { backendRows, flowRows, logRows } from './rows.ts';
import { upTone } from './service-table.ts';
import { type DashboardState, type ViewName, viewNames } from './state.ts';
import { cutLine, headingLine, type Line, plainText, span, spreadLine, type Tone } from './text.ts';

/** Name, state and age of the instance on the left; whether the picture is live on the right. */
export function titleLine(state: DashboardState): Line {
  const { sample, size } = state;
  const name = [span(' sluice ', 'muted'), span(sample?.status.name ?? '', 'strong')];
  return spreadLine(
    [...name, ...(sample === undefined ? [] : aboutInstance(state))],
    linkSpans(state),
    size.columns,
  );
}

function aboutInstance({ sample, size }: DashboardState): Line {
  const { state, uptimeMs, services, pid, version } = sample!.status;
  const facts = [
    `up ${shortAge(uptimeMs)}`,
    plural(services.length, 'service'),
    ...(size.columns >= 100 ? [`pid ${pid}`, `sluice ${version}`] : []),
  ];
  const stateTone: Tone = state === 'serving' ? 'good' : 'warn';
  return [span('  '), span(state, stateTone), span(`  ${facts.join(' · ')}`, 'muted')];
}

function linkSpans({ link, isPaused, nowMs }: DashboardState): Line {
  if (link.state === 'lost') {
    return [span(`○ gone for ${shortAge(nowMs - link.sinceMs)}, looking for it `, 'bad')];
  }
  if (isPaused) return [span('‖ paused ', 'warn')];
  return link.state === 'live' ? [span('● ', 'good'), span('live ', 'muted')] : [span('◌ waiting ', 'muted')];
}

/** The views with their keys, and a figure of each. */
export function tabsLine(state: DashboardState): Line {
  const tabs = viewNames.flatMap((view, index): Line => {
    const figure = figureOf(state, view);
    const label = ` ${index + 1} ${titles[view]} `;
    const end = figure === undefined ? [] : [figure, span(' ')];
    const tab =
      view === state.view ? [span(label + plainText(end), 'selected')] : [span(label, 'muted'), ...end];
    return [...tab, span(' ')];
  });
  return cutLine(tabs, state.size.columns);
}

const titles: Readonly<Record<ViewName, string>> = {
  overview: 'Overview',
  flows: 'Flows',
  backends: 'Backends',
  log: 'Log',
};

function figureOf({ sample, log }: DashboardState, view: ViewName) {
  if (sample === undefined) return undefined;
  const { services } = sample.status;
  const sum = (of: (service: (typeof services)[number]) => number) =>
    services.reduce((total, service) => total + of(service), 0);
  switch (view) {
    case 'flows':
      return span(shortAmount(sum(({ flows }) => flows)), 'strong');
    case 'backends': {
      const [up, all] = [sum(({ backendsUp }) => backendsUp), sum(({ backends }) => backends)];
      return span(`${up}/${all}`, upTone(up, all));
    }
    case 'log': {
      const grave = log.filter(isGrave).length;
      return grave === 0 ? undefined : span(`${shortAmount(grave)}!`, 'warn');
    }
    default:
      return undefined;
  }
}

function isGrave({ level }: LogEntry): boolean {
  return level === 'warn' || level === 'error';
}

/** What is shown of how much, and by which filter. */
export function ruleLine(state: DashboardState): Line {
  const { view, size, filters, isHelpOpen } = state;
  if (isHelpOpen) return headingLine('Keys', size.columns, 'any key closes this');
  const filter = filters[view];
  const note = noteOf(state);
  const title = filter === '' ? headings[view] : `${headings[view]} that fit ${filter}`;
  return headingLine(title, size.columns, note);
}

const headings: Readonly<Record<ViewName, string>> = { ...titles, overview: 'Traffic' };

function noteOf(state: DashboardState): string {
  const { view, sample, filters } = state;
  switch (view) {
    case 'overview':
      return 'one bar a second';
    case 'flows': {
      const { matching = 0 } = sample?.flows ?? {};
      const shown = flowRows(state).length;
      if (shown === 0) return '';
      return matching > shown || filters.flows !== ''
        ? `${place(state)} of ${formatCount(matching)}`
        : plural(matching, 'flow');
    }
    case 'backends':
      return plural(backendRows(state).length, 'backend');
    case 'log':
      return plural(logRows(state).length, 'line');
  }
}

function place({ lists, view }: DashboardState): string {
  return formatCount(lists[view].index + 1);
}
