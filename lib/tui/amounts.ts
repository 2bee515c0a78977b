/** Amounts in the few cells that a table has for them. */

const decimalUnits = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** `0`, `999`, `1.2k`, `34M`: in steps of 1000, five cells at most; nothing is known of null. */
export function shortAmount(amount: number | null | undefined): string {
  if (amount === null || amount === undefined) return '–';
  let scaled = amount;
  let unit = 0;
  while (scaled >= 999.5 && unit < decimalUnits.length - 1) {
    scaled /= 1_000;
    unit++;
  }
  const digits = unit === 0 || scaled >= 99.95 ? 0 : 1;
  return `${scaled.toFixed(digits)}${decimalUnits[unit]}`;
}

/** Bytes a second as bits: `1.2M`. */
export function shortBits(bytesPerSecond: number | null | undefined): string {
  return shortAmount(bytesPerSecond === null || bytesPerSecond === undefined ? null : bytesPerSecond * 8);
}

/** Bytes a second: `1.2 Mbit/s`. */
export function bitRate(bytesPerSecond: number): string {
  return bitsPerSecond(bytesPerSecond * 8);
}

/** `1.2 Mbit/s`. */
export function bitsPerSecond(bits: number): string {
  const [, amount, unit] = /^([\d.]+)(\D?)$/.exec(shortAmount(bits))!;
  return `${amount} ${unit}bit/s`;
}

/** Lengths of time in two units: `12s`, `3m12s`, `5h07m`, `12d03h`; below a second `0s`. */
export function shortAge(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** `0.42ms`, `12ms`, `1.2s`; nothing is known of null. */
export function shortLatency(ms: number | null): string {
  if (ms === null) return '–';
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)}s`;
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(ms >= 1 ? 1 : 2)}ms`;
}

/** The time of day, local: `12:00:01`. */
export function timeOfDay(timeMs: number): string {
  const time = new Date(timeMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
