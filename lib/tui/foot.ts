/** The line at the bottom: a prompt, a word to the person, or the keys that matter here. */
import { plural } from '../model/units.ts';
import { bindings } from './keys.ts';
import type { Prompt } from './prompt.ts';
import type { DashboardState } from './state.ts';
import { cutLine, type Line, lineWidth, span } from './text.ts';

export function footLine(state: DashboardState): Line {
  const { prompt, notice, size } = state;
  if (prompt !== undefined) return cutLine(promptSpans(prompt), size.columns);
  if (notice !== undefined) return cutLine([span(` ${notice.text}`, notice.tone)], size.columns);
  if (state.isHelpOpen) return [];
  return isEnding(state) ? endingSpans(state) : hintSpans(state);
}

function isEnding({ place, sample }: DashboardState): boolean {
  return place === 'inside' && sample?.status.state === 'draining';
}

/** What a stop waits for, and how not to. */
function endingSpans({ sample, size }: DashboardState): Line {
  const flows = sample!.status.services.reduce((sum, service) => sum + service.flows, 0);
  const words = span(` waits for ${plural(flows, 'flow')} to end `, 'warn');
  return cutLine([words, ...keyHint('ctrl-c', 'end them')], size.columns);
}

/** The cursor of whoever writes. */
const cursor = span(' ', 'selected');

function promptSpans(prompt: Prompt): Line {
  switch (prompt.kind) {
    case 'question':
      return [span(` ${prompt.text} `, 'warn'), ...keyHint('y', 'yes'), ...keyHint('n', 'no')];
    case 'filter':
      return written(' / ', prompt, 'address, network, :port, backend, state; enter applies it');
    case 'view':
      return written(' : ', prompt, 'overview, flows, backends, log');
    case 'weight':
      return written(
        ` Weight of ${prompt.backend.name}, now ${prompt.now}: `,
        prompt,
        '0 takes no new flows',
      );
  }
}

function written(label: string, { text, problem }: { text: string; problem: string }, help: string): Line {
  const aside = problem === '' ? span(text === '' ? `  ${help}` : '', 'muted') : span(`  ${problem}`, 'bad');
  return [span(label, 'accent'), span(text), cursor, aside];
}

/** As many hints as fit, the most important ones first to stay. */
function hintSpans({ view, size }: DashboardState): Line {
  const hints = bindings.flatMap(({ keys, hint }) =>
    hint === undefined || (hint.views !== undefined && !hint.views.includes(view)) ? [] : [{ keys, ...hint }],
  );
  const byRank = hints.toSorted((one, other) => one.rank - other.rank);
  for (let count = byRank.length; count > 0; count--) {
    const kept = new Set(byRank.slice(0, count));
    const line = byRank
      .filter((hint) => kept.has(hint))
      .flatMap(({ keys, text }) => keyHint(keys.join(' '), text));
    if (lineWidth(line) <= size.columns) return line;
  }
  return [];
}

function keyHint(key: string, text: string): Line {
  return [span(` ${key}`, 'accent'), span(` ${text} `, 'muted')];
}
