/**
 * Mode nat of sluice beside the kernel's own routing and DNAT, and beside a plain reader of a packet queue, in the
 * network of lab.ts; and what the TypeScript of it costs by itself (nat-forward.ts).
 *
 * Floods: the sender and the readers have a core each. TCP: everything may run on every core, since the kernel
 * carries packets on whichever core their sender runs.
 */
import { iperf3, iperf3Server } from '../support/iperf3.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { wrk } from '../support/wrk.ts';
import { floodMeasure } from './flood.ts';
import { createLab, ports, startNat, targetOf, type Way } from './lab.ts';
import type { Measure, Probe } from './measure.ts';
import { forwardMeasures } from './nat-forward.ts';

/** For TCP: contenders by the names that they are shown by. */
const contenders: Readonly<Record<string, Way>> = {
  sluice: 'nat',
  routing: 'routing',
  'kernel DNAT': 'kernel DNAT',
};

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
          const options = { host: targetOf(way), port: ports.bulk, seconds, reverse, namespace };
          return { value: (await iperf3(options)).gigabitsPerSecond };
        };
      };
      await take(new Map(Object.entries(contenders).map(([name, way]) => [name, probe(way)])));
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
        const { requestsPerSecond, errors } = await wrk(`http://${targetOf(way)}:${ports.http}/`, load);
        const failures = Object.values(errors).reduce((sum, count) => sum + count, 0);
        return { value: requestsPerSecond, failures };
      };
    };
    await take(new Map(Object.entries(contenders).map(([name, way]) => [name, probe(way)])));
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
    { ...contenders, 'one by one': 'one by one' },
    (flood) => flood.delivered / flood.seconds,
  ),
  floodMeasure(
    { name: 'small datagrams, lost', unit: '%', floors: [{ atMost: 0 }] },
    { sluice: 'nat', 'one by one': 'one by one' },
    ({ packets, delivered: arrived }) => ((packets - arrived) / packets) * 100,
  ),
  bulk('TCP bulk, client to backend', false),
  bulk('TCP bulk, backend to client', true),
  connections,
  ...forwardMeasures,
];
