/** wrk, the HTTP load: keep-alive connections that ask again as soon as they are answered. */
import { output } from './child.ts';
import { toolPath } from './tools.ts';

export interface HttpLoad {
  readonly seconds: number;
  readonly connections?: number;
  readonly threads?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly core?: number | undefined;
  readonly namespace?: string | undefined;
}

export interface HttpAnswers {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Socket errors, and answers that were neither 2xx nor 3xx (`status`). */
  readonly errors: {
    readonly connect: number;
    readonly read: number;
    readonly write: number;
    readonly timeout: number;
    readonly status: number;
  };
  readonly latencyMs: { readonly mean: number; readonly p50: number; readonly p99: number };
}

export async function wrk(url: string, load: HttpLoad): Promise<HttpAnswers> {
  const { seconds, connections = 64, threads = 1, headers = {}, core, namespace } = load;
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = [`-t${threads}`, `-c${connections}`, `-d${seconds}s`, '--latency', ...fields, url];
  return parseWrk(await output({ program: toolPath('wrk'), args, core, namespace }));
}

/** Reads wrk's report. */
export function parseWrk(report: string): HttpAnswers {
  const [, requests] = /(\d+) requests in/.exec(report) ?? [];
  if (requests === undefined) throw new Error(`not a report of wrk:\n${report}`);
  const [, connect = 0, read = 0, write = 0, timeout = 0] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report) ?? [];
  const [, status = 0] = /Non-2xx or 3xx responses: (\d+)/.exec(report) ?? [];
  const duration = (pattern: RegExp) => milliseconds(pattern.exec(report));
  return {
    requests: Number(requests),
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]),
    errors: {
      connect: Number(connect),
      read: Number(read),
      write: Number(write),
      timeout: Number(timeout),
      status: Number(status),
    },
    latencyMs: {
      mean: duration(/Latency\s+([\d.]+)(us|ms|s|m)\b/),
      p50: duration(/50%\s+([\d.]+)(us|ms|s|m)\b/),
      p99: duration(/99%\s+([\d.]+)(us|ms|s|m)\b/),
    },
  };
}

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

function milliseconds(match: RegExpExecArray | null): number {
  const [, amount, unit = ''] = match ?? [];
  return Number(amount) * (unitMs[unit] ?? Number.NaN);
}
