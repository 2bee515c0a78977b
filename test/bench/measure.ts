/**
 * What a benchmark is made of: measures, each taken of several contenders that are alike in all but their name.
 */

/** One reading. */
export interface Sample {
  readonly value: number;
  /** Processor time of the contender for one unit of work, in microseconds. */
  readonly cpuMicros?: number;
  /** Requests that failed; a reading with failures is shown with them. */
  readonly failures?: number;
}

/**
 * What sluice must reach: a share of what another contender reaches in the same round, or an absolute limit. Where
 * less is better it must not exceed it.
 */
export type Floor =
  | { readonly against: string; readonly atLeast: number }
  | { readonly against?: string; readonly atMost: number };

/** Takes one reading of a contender that is running, from a load of so many seconds. */
export type Probe = (seconds: number) => Promise<Sample>;

export interface Measure {
  readonly name: string;
  /** Of a sample's value. */
  readonly unit: string;
  /** The work that processor time is counted for: `request`. */
  readonly per?: string;
  readonly floors: readonly Floor[];
  /** Of its processor time. */
  readonly cpuFloors?: readonly Floor[];
  /** Instead of the rounds asked for. */
  readonly rounds?: number;
  /** Calls `take` with a probe for each contender, sluice among them, in the order of the table. */
  withContenders(
    conditions: Conditions,
    take: (probes: ReadonlyMap<string, Probe>) => Promise<void>,
  ): Promise<void>;
}

/** Where everything runs, and what sluice is. */
export interface Conditions {
  /** The program and its first arguments. */
  readonly sluice: readonly string[];
  /** The contenders' core; each is alone on it while it is measured. */
  readonly core: number;
  /** Of the load and of the origin that it is meant for. */
  readonly loadCore: number;
}

/** Readings by contender, one for each round. */
export type Readings = ReadonlyMap<string, readonly Sample[]>;

const warmUpSeconds = 1;

/**
 * Takes every contender's reading once a round. The order moves on by one each round, so that none always
 * follows the same other; a first reading of each is thrown away.
 */
export async function alternate(
  measure: Measure,
  conditions: Conditions,
  rounds: number,
  seconds: number,
): Promise<Readings> {
  const readings = new Map<string, Sample[]>();
  await measure.withContenders(conditions, async (probes) => {
    const entries = [...probes];
    for (const [name, probe] of entries) {
      readings.set(name, []);
      await probe(warmUpSeconds);
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < entries.length; turn++) {
        const [name, probe] = entries[(round + turn) % entries.length]!;
        readings.get(name)!.push(await probe(seconds));
      }
    }
  });
  return readings;
}
