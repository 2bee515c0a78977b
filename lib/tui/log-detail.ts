/** One line of the log with all that belongs to it, which the list has no room for. */
import type { LogEntry } from '../model/view.ts';
import { timeOfDay } from './amounts.ts';
import { type Block, fact } from './detail-block.ts';
import { levelTone } from './log-lines.ts';
import { span } from './text.ts';

export function entryBlock({ timeMs, level, message, fields }: LogEntry): Block {
  return {
    title: 'Line',
    lines: [
      fact('said', span(message, 'strong')),
      fact('at', span(`${timeOfDay(timeMs)}, `), span(level, levelTone(level))),
      ...Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => fact(`${name} `, span(String(value)))),
    ],
  };
}
