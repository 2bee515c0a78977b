/**
 * Mode dsr of sluice beside its mode nat, and beside no balancer at all, in the network of lab.ts.
 *
 * Floods: the sender and the balancers have a core each. TCP: everything may run on every core; the answers go the same
 * way with a balancer and without, and the requests, which are all acknowledgements, through sluice and its tunnel.
 */
import { iperf3, iperf3Server } from '../support/iperf3.ts';
import { cpuSeconds } from '../support/proc.ts';
import { floodMeasure } from './flood.ts';
import { createLab, ports, startDsr, startTunnelEnd, targetOf, type Way } from './lab.ts';
import type { Measure, Probe } from './measure.ts';

const download: Measure = {
  name: 'TCP bulk, backend to client',
  unit: 'Gbit/s',
  per: 'Gbit',
  floors: [{ against: 'no balancer', atLeast: 0.95 }],
  async withContenders(conditions, take) {
    using lab = createLab();
    await using server = await iperf3Server({ port: ports.bulk, namespace: lab.backend.namespace });
    await using end = await startTunnelEnd(lab, conditions);
    await using own = await startDsr(lab, 'tcp', ports.bulk, conditions);
    const programs = [server, end, own];
    const cpuOfPrograms = (): number => programs.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
    const { namespace } = lab.client;
    const probe = (way: Way): Probe => {
      return async (seconds) => {
        const load = { host: targetOf(way), port: ports.bulk, seconds, reverse: true, namespace };
        const before = cpuOfPrograms();
        const { bytes, gigabitsPerSecond, clientCpuSeconds } = await iperf3(load);
        const cpu = cpuOfPrograms() - before + clientCpuSeconds;
        return { value: gigabitsPerSecond, cpuMicros: (cpu * 1e6) / ((bytes * 8) / 1e9) };
      };
    };
    await take(
      new Map([
        ['sluice', probe('dsr')],
        ['no balancer', probe('routing')],
      ]),
    );
  },
};

export const dsr: readonly Measure[] = [
  floodMeasure(
    {
      name: 'small datagrams, requests delivered',
      unit: '1/s',
      per: 'packet',
      floors: [],
      cpuFloors: [{ against: 'nat', atMost: 0.9 }],
    },
    { sluice: 'dsr', nat: 'nat' },
    (flood) => flood.delivered / flood.seconds,
  ),
  download,
];
