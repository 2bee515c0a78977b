/**
 * Where the log of a running instance goes: one line each, as text (`12:00:01 warn backend is down service=web`)
 * or as JSON. Fields of text are logfmt: a value is quoted, as in JSON, when it would not be clear where it ends.
 */
import { type Log, type LogFields, type LogLevel, logLevels } from '../model/log.ts';
import type { Paint, Style } from './style.ts';

export const logFormats = ['text', 'json'] as const;

export type LogFormat = (typeof logFormats)[number];

export interface LogSink {
  /** What is less severe is left out. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly style: Style;
  now(): Date;
  write(line: string): void;
}

/** A log that writes lines to a sink. */
export function createLog(sink: LogSink): Log {
  const lowest = logLevels.indexOf(sink.level);
  const format = sink.format === 'json' ? formatJson : formatText;
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (logLevels.indexOf(level) >= lowest)
      sink.write(format(sink.now(), level, message, fields ?? {}, sink.style));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function formatJson(now: Date, level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time: now.toISOString(), level, message, ...fields });
}

function formatText(now: Date, level: LogLevel, message: string, fields: LogFields, style: Style): string {
  const words = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => style.dim(`${name}=`) + formatValue(String(value)));
  return [style.dim(timeOfDay(now)), paintOf(level, style)(level), message, ...words].join(' ');
}

function formatValue(text: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}

/** `12:00:01`, local. */
function timeOfDay(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function paintOf(level: LogLevel, style: Style): Paint {
  switch (level) {
    case 'error':
      return style.red;
    case 'warn':
      return style.yellow;
    case 'info':
      return style.cyan;
    default:
      return style.dim;
  }
}
