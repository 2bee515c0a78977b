/** Milliseconds since the machine started, the same on every thread: flows outlive the thread that opened them. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}
