/** What the readings of a measure say: medians, ratios round by round, and whether every floor is reached. */
import type { Floor, Measure, Readings, Sample } from './measure.ts';

/** A figure of each contender, and sluice's share of each other's; both are medians over the rounds. */
export interface Figure {
  readonly unit: string;
  readonly medians: Readonly<Record<string, number>>;
  readonly ratios: Readonly<Record<string, number>>;
}

export interface Result {
  readonly measure: string;
  readonly rounds: number;
  readonly figure: Figure;
  /** Processor time; steadier than the figure on a machine that others use too. */
  readonly cpu?: Figure;
  readonly floors: readonly Floor[];
  readonly cpuFloors: readonly Floor[];
  readonly reached: boolean;
  readonly cpuReached: boolean;
  /** Failed requests by contender. */
  readonly failures: Readonly<Record<string, number>>;
}

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function evaluate(measure: Measure, readings: Readings): Result {
  const figure = toFigure(measure.unit, readings, (sample) => sample.value);
  const cpu =
    measure.per === undefined
      ? undefined
      : toFigure(`CPU µs/${measure.per}`, readings, (sample) => sample.cpuMicros ?? Number.NaN);
  const { floors, cpuFloors = [] } = measure;
  return {
    measure: measure.name,
    rounds: readings.get('sluice')?.length ?? 0,
    figure,
    ...(cpu !== undefined && { cpu }),
    floors,
    cpuFloors,
    reached: floors.every((floor) => isReached(floor, figure)),
    cpuReached: cpuFloors.every((floor) => cpu !== undefined && isReached(floor, cpu)),
    failures: fromEntries(readings, (samples) =>
      samples.reduce((sum, { failures = 0 }) => sum + failures, 0),
    ),
  };
}

function toFigure(unit: string, readings: Readings, of: (sample: Sample) => number): Figure {
  const own = readings.get('sluice') ?? [];
  const others = new Map(readings);
  others.delete('sluice');
  return {
    unit,
    medians: fromEntries(readings, (samples) => median(samples.map(of))),
    ratios: fromEntries(others, (samples) =>
      median(samples.map((sample, round) => of(own[round]!) / of(sample))),
    ),
  };
}

function fromEntries(readings: Readings, of: (samples: readonly Sample[]) => number): Record<string, number> {
  return Object.fromEntries([...readings].map(([name, samples]) => [name, of(samples)]));
}

function isReached(floor: Floor, { medians: { sluice = Number.NaN }, ratios }: Figure): boolean {
  const reached = floor.against === undefined ? sluice : (ratios[floor.against] ?? Number.NaN);
  return 'atMost' in floor ? reached <= floor.atMost : reached >= floor.atLeast;
}
