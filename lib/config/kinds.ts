/**
 * The kinds of value that a configuration is made of, as zod schemas. Where zod's own message would not do, the
 * message is two lines: a sentence, and its remedy. `explain` takes them apart and words all the others.
 */
import { z } from 'zod';
import { formatDuration, parseDuration } from '../model/duration.ts';
import { SluiceError, usageError } from '../model/errors.ts';
import { nearest } from './nearest.ts';

/** Text that `parse` reads; what it throws becomes the message. `pattern` goes into the JSON Schema, for editors. */
export function text<T>(parse: (text: string) => T, pattern?: RegExp) {
  return z
    .string({
      // A number where text should be, as in `idle-timeout: 5`: if it would be wrong as text too, say why.
      error: ({ input }) => (typeof input === 'number' ? attempt(parse, String(input)).refusal : undefined),
    })
    .meta(pattern === undefined ? {} : { pattern: pattern.source })
    .transform((value, context): T => {
      const { refusal, read } = attempt(parse, value);
      if (refusal === undefined) return read;
      context.addIssue({ code: 'custom', message: refusal });
      return z.NEVER;
    });
}

type Attempt<T> =
  | { readonly refusal?: never; readonly read: T }
  | { readonly refusal: string; readonly read?: never };

function attempt<T>(parse: (text: string) => T, value: string): Attempt<T> {
  try {
    return { read: parse(value) };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { refusal: `${error.message}\n${error.remedy ?? ''}` };
  }
}

/** Text that may be anything but empty. */
export const anyText = text((value) => {
  if (value === '') throw usageError('"" is empty', 'write one character at least');
  return value;
});

const durationPattern = /^\d+(\.\d+)?(ms|s|m|h)$/;

/** A time in milliseconds, zero included. */
export const timeOrZero = text(parseDuration, durationPattern);

/** A time of a millisecond at least, in milliseconds. */
export const positiveTime = text((value) => {
  const ms = parseDuration(value);
  if (ms === 0) throw usageError(`${JSON.stringify(value)} is too short`, 'use 1ms or more');
  return ms;
}, durationPattern);

/** A positive time that is `usualMs` when left out, and what it is about. */
export function time(usualMs: number, about: string) {
  return positiveTime.prefault(formatDuration(usualMs)).describe(about);
}

/** A whole number, `lowest` at least, that is `usual` when left out, and what it is about. */
export function count(lowest: number, usual: number, about: string) {
  return z.int().min(lowest).prefault(usual).describe(about);
}

/** A map of exactly these keys. */
export function table<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, known)).join('\n')
        : undefined,
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const remedy = meant === undefined ? `use one of ${known.join(', ')}` : `did you mean "${meant}"?`;
  return `unknown key ${JSON.stringify(key)}\n${remedy}`;
}
