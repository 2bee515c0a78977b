/**
 * sluice as a terminating proxy beside HAProxy and nginx, which are given one thread each. Every contender
 * relays one port of the loopback to one origin, without health checks, alone on its core.
 */
import { output } from '../support/child.ts';
import { dnsperf, knot } from '../support/dns.ts';
import { haproxy } from '../support/haproxy.ts';
import { iperf3, iperf3Server } from '../support/iperf3.ts';
import type { Listener } from '../support/listener.ts';
import { nginxOrigin, nginxStream } from '../support/nginx.ts';
import { freePort, type Transport } from '../support/ports.ts';
import { cpuSeconds } from '../support/proc.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { type HttpLoad, wrk } from '../support/wrk.ts';
import type { Conditions, Measure, Probe } from './measure.ts';

/** What one run of a load got done. */
interface Work {
  /** What the measure shows. */
  readonly value: number;
  /** What processor time is counted by. */
  readonly amount: number;
  readonly failures: number;
}

interface RelayMeasure extends Pick<Measure, 'name' | 'unit' | 'per' | 'floors'> {
  readonly transport?: Transport;
  /** Sessions of nginx end with so many answers; they are kept when absent, as sluice keeps its own. */
  readonly nginxUdpAnswers?: number | undefined;
  readonly origin: (options: { core: number }) => Promise<Listener>;
  readonly load: (target: { port: number; seconds: number; core: number }) => Promise<Work>;
}

/** A measure of relaying: the same load through each contender to the same origin. HAProxy has no UDP. */
function relayMeasure(options: RelayMeasure): Measure {
  const { transport = 'tcp', nginxUdpAnswers: udpAnswers, origin, load, ...shown } = options;
  return {
    ...shown,
    async withContenders(conditions, take) {
      const { core, loadCore } = conditions;
      await using backend = await origin({ core: loadCore });
      const placement = { backend: backend.port, core };
      const ownPort = await freePort();
      await using own = await startSluice(conditions, transport, ownPort, backend.port);
      await using haproxyRelay = transport === 'tcp' ? await haproxy(placement) : undefined;
      await using nginxRelay = await nginxStream({ ...placement, transport, udpAnswers });

      const probe = ({ pid, port }: { pid: number; port: number }): Probe => {
        return async (seconds) => {
          const before = cpuSeconds(pid);
          const { value, amount, failures } = await load({ port, seconds, core: loadCore });
          return { value, failures, cpuMicros: ((cpuSeconds(pid) - before) * 1e6) / amount };
        };
      };
      const probes = new Map([['sluice', probe({ pid: own.pid, port: ownPort })]]);
      if (haproxyRelay !== undefined) probes.set('haproxy', probe(haproxyRelay));
      probes.set('nginx', probe(nginxRelay));
      await take(probes);
    },
  };
}

function startSluice(
  { sluice: command, core }: Conditions,
  transport: Transport,
  port: number,
  backend: number,
): Promise<Sluice> {
  const listen = `${transport}://127.0.0.1:${port}`;
  return sluice(['proxy', listen, `127.0.0.1:${backend}`, '--check', 'none'], { command, core });
}

function bulk(name: string, reverse: boolean): Measure {
  return relayMeasure({
    name,
    unit: 'Gbit/s',
    per: 'MiB',
    floors: [
      { against: 'haproxy', atLeast: 0.9 },
      { against: 'nginx', atLeast: 1 },
    ],
    origin: iperf3Server,
    async load(target) {
      const { bytes, gigabitsPerSecond } = await iperf3({ ...target, reverse });
      return { value: gigabitsPerSecond, amount: bytes / 2 ** 20, failures: 0 };
    },
  });
}

function http(name: string, per: string, atLeast: number, headers: HttpLoad['headers'] = {}): Measure {
  return relayMeasure({
    name,
    unit: '1/s',
    per,
    floors: [{ against: 'haproxy', atLeast }],
    origin: nginxOrigin,
    async load({ port, ...load }) {
      const { requests, requestsPerSecond, errors } = await wrk(`http://127.0.0.1:${port}/`, {
        ...load,
        headers,
      });
      const failures = Object.values(errors).reduce((sum, count) => sum + count, 0);
      return { value: requestsPerSecond, amount: requests, failures };
    },
  });
}

function udp(name: string, nginxUdpAnswers?: number): Measure {
  return relayMeasure({
    name,
    unit: '1/s',
    per: 'answer',
    floors: [{ against: 'nginx', atLeast: 0.75 }],
    transport: 'udp',
    nginxUdpAnswers,
    origin: knot,
    async load(target) {
      const { completed, lost, queriesPerSecond } = await dnsperf(target);
      return { value: queriesPerSecond, amount: completed, failures: lost };
    },
  });
}

/** How long it takes to start; the load's seconds mean nothing here. */
function startup(name: string, atMost: number, start: (conditions: Conditions) => Promise<number>): Measure {
  return {
    name,
    unit: 'ms',
    floors: [{ atMost }],
    rounds: 10,
    withContenders: (conditions, take) =>
      take(new Map([['sluice', async () => ({ value: await start(conditions) })]])),
  };
}

async function millisecondsToVersion({ sluice: [program = '', ...args], core }: Conditions): Promise<number> {
  const startMs = performance.now();
  await output({ program, args: [...args, '--version'], core });
  return performance.now() - startMs;
}

/** The backend need not be there: nothing is asked of it. */
async function millisecondsToReady(conditions: Conditions): Promise<number> {
  const [port, backend] = [await freePort(), await freePort()];
  const startMs = performance.now();
  await using _started = await startSluice(conditions, 'tcp', port, backend);
  return performance.now() - startMs;
}

export const proxy: readonly Measure[] = [
  bulk('bulk, client to backend', false),
  bulk('bulk, backend to client', true),
  http('HTTP, kept alive', 'request', 0.9),
  http('HTTP, new connections', 'connection', 0.55, { Connection: 'close' }),
  udp('UDP, sessions kept'),
  udp('UDP, nginx: session per answer', 1),
  startup('sluice --version', 150, millisecondsToVersion),
  startup('sluice proxy, until ready', 400, millisecondsToReady),
];
