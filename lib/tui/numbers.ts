/** The same numbers as on the dashboard, as lines for where there is no screen: one a second, or an event each. */
import { formatCount } from '../model/units.ts';
import type { HistoryStep, LogEntry, StatusView } from '../model/view.ts';
import { bitRate, shortAmount, timeOfDay } from './amounts.ts';
import { seesAnswers } from './sight.ts';

/** What is told of one second. */
export interface Second {
  readonly timeMs: number;
  readonly status: StatusView;
  /** The last whole one; undefined in the first second of an instance. */
  readonly step: HistoryStep | undefined;
}

/** `12:00:01  flows 1,234  new 120/s  in 1.2 Mbit/s  out 34 Mbit/s  drops 0/s  up 3/3`; packets where they are seen. */
export function numbersLine({ timeMs, status, step }: Second): string {
  const { flows, up, backends } = totalsOf(status);
  const way = (bytes: number | undefined, packets: number | null | undefined) =>
    bytes === undefined
      ? '–'
      : [bitRate(bytes), ...(packets === null ? [] : [`${shortAmount(packets)} packets/s`])].join(' ');
  return [
    timeOfDay(timeMs),
    `flows ${formatCount(flows)}`,
    `new ${shortAmount(step?.connections)}/s`,
    `in ${way(step?.bytesIn, step?.packetsIn)}`,
    `out ${way(seesAnswers(status.services) ? step?.bytesOut : undefined, step?.packetsOut)}`,
    `drops ${shortAmount(step?.dropped)}/s`,
    `up ${up}/${backends}`,
  ].join('  ');
}

/** The same for scripts; what is a rate is of the last whole second. */
export function trafficEvent({ timeMs, status, step }: Second) {
  const { flows, up, backends } = totalsOf(status);
  return {
    event: 'traffic',
    timeMs,
    instance: status.name,
    state: status.state,
    flows,
    backends,
    backendsUp: up,
    connectionsPerSecond: step?.connections ?? null,
    packetsInPerSecond: step?.packetsIn ?? null,
    packetsOutPerSecond: step?.packetsOut ?? null,
    bytesInPerSecond: step?.bytesIn ?? null,
    bytesOutPerSecond: (seesAnswers(status.services) ? step?.bytesOut : undefined) ?? null,
    droppedPerSecond: step?.dropped ?? null,
  };
}

/** A line of the log, among the numbers. */
export function logEvent(entry: LogEntry) {
  return { event: 'log', ...entry };
}

function totalsOf({ services }: StatusView) {
  const sum = (of: (service: (typeof services)[number]) => number) =>
    services.reduce((total, service) => total + of(service), 0);
  return {
    flows: sum(({ flows }) => flows),
    up: sum(({ backendsUp }) => backendsUp),
    backends: sum(({ backends }) => backends),
  };
}
