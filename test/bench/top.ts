/**
 * What the dashboard costs while an instance tracks 100,000 flows, some of which carry packets all the time: the
 * processor time of `sluice top`, and what the instance takes more than before, as a share of a core; and what a packet
 * costs the data path, with a dashboard and alone. Its threads are all of the instance's but the main one: so many
 * packets come that what V8's threads do for the main one is lost among them.
 *
 *     client 10.1.0.2 ──── 10.1.0.1 balancer 10.2.0.1 ──── 10.2.0.2 backend
 *     pretends to be 10.1.0.0/16     │
 *                                 sluice nat ◀──socket── sluice top, in tmux
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../lib/control/client.ts';
import { output, startServer } from '../support/child.ts';
import { createNetwork, type Host } from '../support/netns.ts';
import { cpuSeconds, threadSeconds } from '../support/proc.ts';
import { scratch } from '../support/scratch.ts';
import { sluice } from '../support/sluice.ts';
import { Person, type TerminalSize } from '../support/tmux.ts';
import { compile } from './lab.ts';
import type { Measure } from './measure.ts';

const flowCount = 100_000;
const vip = '10.9.0.1';
const port = 5300;

/** A share of a core, in percent. */
const mostPercent = 5;

/** What a packet may cost the data path with a dashboard, for what it costs alone. */
const mostSlowing = 1.1;

/** So many that a worker is busy, and not so many that one has to wait. */
const packetsPerSecond = 50_000;

/** Two datagrams of each flow, so that it counts as live; then a few of some flows for ever. */
const sender = `import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
def datagram(flow, size):
    udp = struct.pack("!HHHH", 1024 + flow % 60000, ${port}, 8 + size, 0) + bytes(size)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
        bytes([10, 1, 1 + flow // 60000, 1]), socket.inet_aton("${vip}"))
    return ip + udp
def send(flow, size):
    while True:
        try:
            return s.sendto(datagram(flow, size), ("${vip}", 0))
        except OSError:
            time.sleep(0.001)
for flow in range(${flowCount}):
    send(flow, 18)
    send(flow, 18)
    if flow % 100 == 0: time.sleep(0.002)
print("sent", flush=True)
while True:
    for flow in range(0, 500):
        send(flow * 7, 18 + flow)
    time.sleep(0.5)`;

interface Watched {
  readonly client: Host;
  readonly instance: number;
  readonly control: string;
}

/** Runs an instance with its flows for as long as `use` takes. */
async function withFlows(
  command: readonly string[],
  use: (watched: Watched) => Promise<void>,
): Promise<void> {
  const directory = scratch();
  const network = createNetwork({
    links: [
      { ends: { client: '10.1.0.2/16', balancer: '10.1.0.1/16' } },
      { ends: { balancer: '10.2.0.1/24', backend: '10.2.0.2/24' } },
    ],
    routes: { client: ['default via 10.1.0.1'], backend: ['default via 10.2.0.1'] },
  });
  try {
    const backend: Host = network.host('backend');
    backend.run(`iptables -w -t raw -A PREROUTING -p udp --dport ${port} -j DROP`);
    const file = join(directory.path, 'edge.yaml');
    writeFileSync(
      file,
      `nat: { timeouts: { udp-stream: 1h } }
services: [{ name: dns, mode: nat, listen: "udp://${vip}:${port}", backends: ["10.2.0.2:${port}"], snat: none }]`,
    );
    const control = join(directory.path, 'edge.sock');
    const { namespace } = network.host('balancer');
    await using instance = await sluice(['up', '-f', file, '--control', control], { command, namespace });
    await using _clients = await startServer(
      { program: 'python3', args: ['-c', sender], namespace: network.host('client').namespace },
      async ({ stdout }, signal) => {
        while (!stdout().includes('sent')) await delay(100, undefined, { signal });
      },
    );
    await allTracked(control);
    await use({ client: network.host('client'), instance: instance.pid, control });
  } finally {
    network.remove();
    directory.remove();
  }
}

/** Waits until there are as many flows as were sent, or no more of them come. */
async function allTracked(control: string): Promise<void> {
  const client = new ControlClient(control);
  const count = async () => (await client.status()).services[0]!.flows;
  for (let last = -1, now = await count(); now > last && now < flowCount; now = await count()) {
    last = now;
    await delay(500);
  }
  const tracked = await count();
  await client.close();
  if (tracked < 0.99 * flowCount) throw new Error(`only ${tracked} flows are tracked`);
}

/** Of a view on a terminal of that size. */
function topMeasure(view: 'overview' | 'flows', size: TerminalSize): Measure {
  return {
    name: `${view} ${size.columns}x${size.rows}`,
    unit: '% of a core',
    floors: [{ atMost: mostPercent }],
    async withContenders({ sluice: command }, take) {
      await withFlows(command, async ({ instance, control }) => {
        const idleSeconds = 5;
        const before = cpuSeconds(instance);
        await delay(idleSeconds * 1_000);
        const idle = (cpuSeconds(instance) - before) / idleSeconds;
        using person = await lookAt(control, command, view, size);
        const dashboard = person.pid;
        const probe = async (seconds: number) => {
          const [top, own] = [cpuSeconds(dashboard), cpuSeconds(instance)];
          await delay(seconds * 1_000);
          const taken = cpuSeconds(dashboard) - top + cpuSeconds(instance) - own - idle * seconds;
          return { value: (100 * taken) / seconds };
        };
        await take(new Map([['sluice', probe]]));
      });
    },
  };
}

/** A person with a dashboard that is under way; its process is the person's own. */
async function lookAt(
  control: string,
  command: readonly string[],
  view: string,
  size: TerminalSize,
): Promise<Person> {
  const person = new Person(size);
  person.type(`exec ${command.join(' ')} top --control ${control} --view ${view}`);
  await person.sees(/● live/);
  return person;
}

/** Of the data path, with a dashboard that shows as many flows as it ever does, and alone. */
const dataPathMeasure: Measure = {
  name: 'data path',
  unit: 'CPU µs/packet',
  floors: [{ against: 'alone', atMost: mostSlowing }],
  async withContenders({ sluice: command }, take) {
    const flood = await compile('udp-flood');
    await withFlows(command, async ({ client: { namespace }, instance, control }) => {
      const client = new ControlClient(control);
      const packets = async () => (await client.status()).services[0]!.packetsIn!;
      const costOf = async (seconds: number) => {
        const [time, count] = [threadSeconds(instance), await packets()];
        const args = [vip, port, seconds, packetsPerSecond].map(String);
        await output({ program: flood, args, namespace });
        return { value: (1e6 * (threadSeconds(instance) - time)) / ((await packets()) - count) };
      };
      const watched = async (seconds: number) => {
        using _ = await lookAt(control, command, 'flows', { columns: 200, rows: 60 });
        return await costOf(seconds);
      };
      await take(
        new Map([
          ['sluice', watched],
          ['alone', costOf],
        ]),
      );
      await client.close();
    });
  },
};

export const top: readonly Measure[] = [
  topMeasure('overview', { columns: 200, rows: 60 }),
  topMeasure('flows', { columns: 80, rows: 24 }),
  topMeasure('flows', { columns: 200, rows: 60 }),
  dataPathMeasure,
];
