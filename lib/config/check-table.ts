/** Health checks in full: the map that a file may hold, with everything that can be said about a check. */
import { z } from 'zod';
import { type CheckTiming, defaultCheckTiming } from '../model/spec.ts';
import { defaultStatus, parseCheck, parseHex, parseHostHeader, parsePath, parseStatus } from './check.ts';
import { anyText, count, positiveTime, table, text, time } from './kinds.ts';

const usual = defaultCheckTiming;

const timingKeys = {
  interval: time(usual.intervalMs, 'Between two looks.'),
  'fast-interval': positiveTime.optional().describe('Between a surprising answer and the next look.'),
  timeout: time(usual.timeoutMs, 'How long an answer may take.'),
  rise: count(1, usual.rise, 'Consecutive successes that bring a backend up.'),
  fall: count(1, usual.fall, 'Consecutive failures that take a backend down.'),
};

const timingTable = table(timingKeys);

/** The keys that say when as the `CheckTiming` they make, the others as they are. */
function withTiming<Keys extends z.output<typeof timingTable>>(keys: Keys) {
  const { interval, 'fast-interval': fastInterval, timeout, rise, fall, ...others } = keys;
  const timing: CheckTiming = {
    intervalMs: interval,
    fastIntervalMs: fastInterval ?? Math.min(usual.fastIntervalMs, interval),
    timeoutMs: timeout,
    rise,
    fall,
  };
  return { ...others, ...timing };
}

/** When a check runs, for whoever says that apart from the check. */
export const timingSchema = timingTable.transform(withTiming);

const otherPort = z.int().min(1).max(65_535).exactOptional().describe("Instead of the backend's own.");

const oneStatus = z.int().min(100).max(599);

const status = z.union([text(parseStatus), oneStatus.transform((code) => [code, code] as const)]);

const httpKeys = {
  path: text(parsePath),
  host: text(parseHostHeader).exactOptional().describe("The Host header; the backend's address when absent."),
  status: status.prefault(defaultStatus).describe('The status codes that are well: one, or a range.'),
  body: anyText.exactOptional().describe('Text that the body must contain.'),
  port: otherPort,
  ...timingKeys,
};

type Http = z.output<z.ZodObject<typeof httpKeys>> & { type: 'http' | 'https' };

function toHttp({ type, ...others }: Http) {
  return withTiming({ ...others, type: 'http' as const, tls: type === 'https' });
}

/** A check as a map; `type` decides which keys there are. */
export const checkTable = z.discriminatedUnion('type', [
  table({ type: z.literal('none') }),
  table({ type: z.literal('tcp'), port: otherPort, ...timingKeys }).transform(withTiming),
  table({ type: z.literal('http'), ...httpKeys }).transform(toHttp),
  table({ type: z.literal('https'), ...httpKeys }).transform(toHttp),
  table({
    type: z.literal('udp'),
    send: text(parseHex).describe('Hexadecimal.'),
    expect: text(parseHex).exactOptional().describe('Hexadecimal; how the answer begins. Any when absent.'),
    port: otherPort,
    ...timingKeys,
  }).transform(withTiming),
  table({
    type: z.literal('expect'),
    send: anyText.exactOptional().describe('Sent once connected.'),
    expect: anyText.describe('Text that the backend must say.'),
    port: otherPort,
    ...timingKeys,
  }).transform(withTiming),
  table({
    type: z.literal('exec'),
    command: anyText.describe('Run by sh with SLUICE_HOST, SLUICE_PORT and SLUICE_BACKEND set; 0 is well.'),
    ...timingKeys,
  }).transform(withTiming),
]);

/** Any check in short, with the default timing. */
export const checkText = text((value) => parseCheck(value, usual));
