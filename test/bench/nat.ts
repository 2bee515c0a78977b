/**
 * Mode nat of sluice beside the kernel's own routing and DNAT, and beside a plain reader of a packet queue, in the
 * network of nat-lab.ts; and what the TypeScript of it costs by itself (nat-forward.ts).
 *
 * Floods: the sender and the readers have a core each. TCP: everything may run on every core, since the kernel
 * carries packets on whichever core their sender runs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { output } from '../support/child.ts';
import { iperf3, iperf3Server } from '../support/iperf3.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { cpuSeconds } from '../support/proc.ts';
import { wrk } from '../support/wrk.ts';
import type { Measure, Probe, Sample } from './measure.ts';
import { forwardMeasures } from './nat-forward.ts';
import {
  compile,
  createLab,
  delivered,
  droppingTarget,
  ports,
  startNat,
  startReader,
  targets,
  type Way,
} from './nat-lab.ts';
import { median } from './result.ts';

/** As many as there are sources in a small network; what matters is that it is not one. */
const flows = 64;

/** For what still waits in a queue when the flood is over. */
const settleMs = 300;

interface Flood {
  readonly packets: number;
  readonly seconds: number;
  readonly delivered: number;
  /** Processor time of the sender and of the kernel on its core, in µs. */
  readonly senderCoreMicros: number;
  /** Of the reader and of the kernel on its core. */
  readonly readerCoreMicros: number;
}

/** The thread in which the kernel carries packets on that core once that takes long. */
function kernelThread(core: number): number {
  const name = `ksoftirqd/${core}\n`;
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return Number(pids.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === name));
}

/**
 * Small datagrams, as many as one core can send. Processor time is that of everything on the packet's way but the
 * sender, as if each packet had gone all the way:
 *
 *     on the sender's core   (sender + its ksoftirqd) / sent − the same when the neighbour drops everything
 *     on the reader's core   (reader + its ksoftirqd) / delivered
 *
 * for a packet's way to the queue, and all of its way through routing and kernel DNAT, runs inside the sender's
 * system call or its core's ksoftirqd; from the verdict to the backend, inside the reader's. Packets lost at the
 * queue thus count for nobody on the reader's core. The kernel has to charge softirqs to whom they run in, as it
 * does unless built with IRQ_TIME_ACCOUNTING.
 */
function floodMeasure(
  shown: Omit<Measure, 'withContenders'>,
  contenders: readonly Way[],
  toValue: (flood: Flood) => number,
): Measure {
  return {
    ...shown,
    async withContenders(conditions, take) {
      const { core, loadCore } = conditions;
      using lab = createLab();
      const [sender, reader] = [await compile('udp-flood'), await compile('nfq-one-by-one')];
      await using oneByOne = await startReader(lab, reader, core);
      await using own = await startNat(lab, 'udp', ports.flood, conditions, core);
      const readers: Partial<Record<Way, number>> = { sluice: own.pid, 'one by one': oneByOne.pid };
      const threads = { sender: kernelThread(loadCore), reader: kernelThread(core) };

      const flood = async (target: string, seconds: number, readerPid?: number): Promise<Flood> => {
        const readerMicros = (): number =>
          readerPid === undefined ? 0 : (cpuSeconds(threads.reader) + cpuSeconds(readerPid)) * 1e6;
        const before = {
          delivered: delivered(lab),
          sender: cpuSeconds(threads.sender),
          reader: readerMicros(),
        };
        const args = [target, ports.flood, seconds, 0, flows].map(String);
        const { namespace } = lab.client;
        const report: Report = JSON.parse(await output({ program: sender, args, core: loadCore, namespace }));
        await delay(settleMs);
        const senderThreadMicros = (cpuSeconds(threads.sender) - before.sender) * 1e6;
        return {
          packets: report.packets,
          seconds: report.seconds,
          delivered: delivered(lab) - before.delivered,
          senderCoreMicros: report.userUs + report.systemUs + senderThreadMicros,
          readerCoreMicros: readerMicros() - before.reader,
        };
      };

      const probe = (way: Way): Probe => {
        return async (seconds): Promise<Sample> => {
          const result = await flood(targets[way], seconds, readers[way]);
          const { packets, senderCoreMicros, readerCoreMicros } = result;
          return {
            value: toValue(result),
            cpuMicros:
              senderCoreMicros / packets - sendingMicros + readerCoreMicros / Math.max(1, result.delivered),
            failures: packets - result.delivered,
          };
        };
      };
      const sending: number[] = [];
      for (let reading = 0; reading < 5; reading++) {
        const { senderCoreMicros, packets } = await flood(droppingTarget, 1);
        sending.push(senderCoreMicros / packets);
      }
      const sendingMicros = median(sending);
      await take(new Map(contenders.map((way) => [way, probe(way)])));
    },
  };
}

/** What udp-flood prints. */
interface Report {
  readonly packets: number;
  readonly seconds: number;
  readonly userUs: number;
  readonly systemUs: number;
}

function bulk(name: string, reverse: boolean): Measure {
  return {
    name,
    unit: 'Gbit/s',
    floors: [{ against: 'routing', atLeast: 0.85 }],
    async withContenders(conditions, take) {
      using lab = createLab();
      await using _server = await iperf3Server({ port: ports.bulk, namespace: lab.backend.namespace });
      await using _own = await startNat(lab, 'tcp', ports.bulk, conditions);
      const { namespace } = lab.client;
      const probe = (way: Way): Probe => {
        return async (seconds) => {
          const options = { host: targets[way], port: ports.bulk, seconds, reverse, namespace };
          return { value: (await iperf3(options)).gigabitsPerSecond };
        };
      };
      await take(new Map((['sluice', 'routing', 'kernel DNAT'] as const).map((way) => [way, probe(way)])));
    },
  };
}

/** Every request on a connection of its own, which the backend closes. */
const connections: Measure = {
  name: 'TCP, new connections',
  unit: '1/s',
  floors: [{ against: 'kernel DNAT', atLeast: 0.6 }],
  async withContenders(conditions, take) {
    using lab = createLab();
    await using _origin = await nginxOrigin({ port: ports.http, namespace: lab.backend.namespace });
    await using _own = await startNat(lab, 'tcp', ports.http, conditions);
    const { namespace } = lab.client;
    const probe = (way: Way): Probe => {
      return async (seconds) => {
        const load = { seconds, namespace, headers: { Connection: 'close' } };
        const { requestsPerSecond, errors } = await wrk(`http://${targets[way]}:${ports.http}/`, load);
        const failures = Object.values(errors).reduce((sum, count) => sum + count, 0);
        return { value: requestsPerSecond, failures };
      };
    };
    await take(new Map((['sluice', 'routing', 'kernel DNAT'] as const).map((way) => [way, probe(way)])));
  },
};

export const nat: readonly Measure[] = [
  floodMeasure(
    {
      name: 'small datagrams, delivered',
      unit: '1/s',
      per: 'packet',
      floors: [],
      cpuFloors: [{ against: 'one by one', atMost: 0.8 }],
    },
    ['sluice', 'routing', 'kernel DNAT', 'one by one'],
    (flood) => flood.delivered / flood.seconds,
  ),
  floodMeasure(
    { name: 'small datagrams, lost', unit: '%', floors: [{ atMost: 0 }] },
    ['sluice', 'one by one'],
    ({ packets, delivered: arrived }) => ((packets - arrived) / packets) * 100,
  ),
  bulk('TCP bulk, client to backend', false),
  bulk('TCP bulk, backend to client', true),
  connections,
  ...forwardMeasures,
];
