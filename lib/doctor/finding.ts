/** What a check has found, as plain data: one line of `sluice doctor`, and one object of its JSON. */

/**
 * `ok`: as it has to be, or it will be once sluice starts. `fault`: the mode does not work, or not rightly, before
 * it is mended. `warning`: it works, with a drawback. `moot`: it does not matter here, or cannot be told.
 */
export type Verdict = 'ok' | 'fault' | 'warning' | 'moot';

export interface Finding {
  /** The name of the check: `rp-filter`. It never changes. */
  readonly check: string;
  readonly verdict: Verdict;
  /** What was seen, in a few words. */
  readonly detail: string;
  /** The command, for a shell, that mends it. */
  readonly fix?: string;
  /** Where the command is to be run, if not on this machine. */
  readonly on?: string;
  /** What to do where no command does it. */
  readonly advice?: string;
}

/** The way out of a fault or a warning: a command, perhaps for another machine, or words where none does it. */
export type WayOut = Pick<Finding, 'fix' | 'on' | 'advice'>;

/** All is well. */
export function ok(check: string, detail: string): Finding {
  return { check, verdict: 'ok', detail };
}

/** The mode does not work like this. */
export function fault(check: string, detail: string, wayOut: WayOut): Finding {
  return { check, verdict: 'fault', detail, ...wayOut };
}

/** It works, but not as well as it might. */
export function warning(check: string, detail: string, wayOut: WayOut = {}): Finding {
  return { check, verdict: 'warning', detail, ...wayOut };
}

/** Nothing that matters here, or nothing that can be seen from here. */
export function moot(check: string, detail: string): Finding {
  return { check, verdict: 'moot', detail };
}
