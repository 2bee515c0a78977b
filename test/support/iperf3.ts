/** iperf3, the bulk load: one TCP stream that carries as much as it can. */
import { setTimeout as delay } from 'node:timers/promises';
import { output } from './child.ts';
import { type Listener, type Placement, startListener } from './listener.ts';
import { freePort } from './ports.ts';
import { toolPath } from './tools.ts';

/** The far end; it serves one client at a time, so nothing else may connect to it. */
export async function iperf3Server(options: Placement = {}): Promise<Listener> {
  const { port = await freePort(), core, namespace } = options;
  const args = ['--server', '--port', String(port)];
  return startListener({ program: toolPath('iperf3'), args, core, namespace }, { port });
}

export interface BulkLoad {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  readonly seconds: number;
  /** The server sends and the client receives. */
  readonly reverse?: boolean;
  readonly core?: number | undefined;
  readonly namespace?: string | undefined;
}

export interface BulkResult {
  /** What arrived. */
  readonly bytes: number;
  readonly gigabitsPerSecond: number;
  /** Processor time of the client, in seconds. */
  readonly clientCpuSeconds: number;
}

export async function iperf3(load: BulkLoad): Promise<BulkResult> {
  const { host = '127.0.0.1', port, seconds, reverse = false, core, namespace } = load;
  const args = ['--client', host, '--port', port, '--time', seconds, '--json'].map(String);
  const command = {
    program: toolPath('iperf3'),
    args: reverse ? [...args, '--reverse'] : args,
    core,
    namespace,
  };
  for (;;) {
    const report: Report = JSON.parse(await output(command));
    const { sum_received: received, cpu_utilization_percent: utilization } = report.end;
    if (received !== undefined && utilization !== undefined) {
      return {
        bytes: received.bytes,
        gigabitsPerSecond: received.bits_per_second / 1e9,
        clientCpuSeconds: (utilization.host_total / 100) * received.seconds,
      };
    }
    // It exits with 0 nevertheless. The server may still be busy with the end of the test before.
    if (!report.error?.includes('busy')) throw new Error(`iperf3: ${report.error}`);
    await delay(20);
  }
}

/** What is used of the JSON report; one without a result holds an error. */
interface Report {
  readonly error?: string;
  readonly end: {
    readonly sum_received?: {
      readonly bytes: number;
      readonly seconds: number;
      readonly bits_per_second: number;
    };
    readonly cpu_utilization_percent?: { readonly host_total: number };
  };
}
