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
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { output, type Server } from '../support/child.ts';
import { cpuSeconds } from '../support/proc.ts';
import {
  compile,
  createLab,
  delivered,
  droppingTarget,
  endFloods,
  type Lab,
  ports,
  startDsr,
  startNat,
  startReader,
  targetOf,
  type Way,
} from './lab.ts';
import type { Conditions, Measure, Probe, Sample } from './measure.ts';
import { median } from './result.ts';

/** As many as there are sources in a small network; what matters is that it is not one. */
const flows = 64;

/** For what still waits in a queue when the flood is over. */
const settleMs = 300;

export interface Flood {
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

/** The program that carries packets a way; none where the kernel does. */
async function startCarrier(lab: Lab, way: Way, conditions: Conditions): Promise<Server | undefined> {
  const { core } = conditions;
  switch (way) {
    case 'one by one':
      return startReader(lab, await compile('nfq-one-by-one'), core);
    case 'nat':
      return startNat(lab, 'udp', ports.flood, conditions, core);
    case 'dsr':
      return startDsr(lab, 'udp', ports.flood, conditions, core);
    default:
      return undefined;
  }
}

/** Contenders by the names that they are shown by. */
export function floodMeasure(
  shown: Omit<Measure, 'withContenders'>,
  contenders: Readonly<Record<string, Way>>,
  toValue: (flood: Flood) => number,
): Measure {
  return {
    ...shown,
    async withContenders(conditions, take) {
      const { core, loadCore } = conditions;
      using lab = createLab();
      endFloods(lab);
      const sender = await compile('udp-flood');
      const carriers = new Map<Way, Server>();
      for (const way of Object.values(contenders)) {
        const carrier = await startCarrier(lab, way, conditions);
        if (carrier !== undefined) carriers.set(way, carrier);
      }
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

      try {
        const sending: number[] = [];
        for (let reading = 0; reading < 5; reading++) {
          const { senderCoreMicros, packets } = await flood(droppingTarget, 1);
          sending.push(senderCoreMicros / packets);
        }
        const sendingMicros = median(sending);
        const probe = (way: Way): Probe => {
          return async (seconds): Promise<Sample> => {
            const result = await flood(targetOf(way), seconds, carriers.get(way)?.pid);
            const { packets, senderCoreMicros, readerCoreMicros } = result;
            return {
              value: toValue(result),
              cpuMicros:
                senderCoreMicros / packets - sendingMicros + readerCoreMicros / Math.max(1, result.delivered),
              failures: packets - result.delivered,
            };
          };
        };
        await take(new Map(Object.entries(contenders).map(([name, way]) => [name, probe(way)])));
      } finally {
        for (const carrier of carriers.values()) await carrier.stop();
      }
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
