/** Knot, an authoritative DNS server, and dnsperf, which asks as fast as it is answered. */
import { output } from './child.ts';
import { type Listener, type Placement, startListener } from './listener.ts';
import { freePort } from './ports.ts';
import { scratch } from './scratch.ts';
import { toolPath } from './tools.ts';

/** The zone that is served unless a test brings its own: `www.example.test` and nothing else. */
const defaultZone = `$ORIGIN example.test.
$TTL 60
@ SOA ns hostmaster 1 60 60 60 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.80
`;

const question = 'www.example.test A\n';

export interface KnotOptions extends Placement {
  /** The text of its zone file. */
  readonly zone?: string;
}

/** Serves the zone `example.test` over UDP and TCP on one port. */
export async function knot(options: KnotOptions = {}): Promise<Listener> {
  const { zone = defaultZone, port = await freePort(), core } = options;
  const directory = scratch();
  directory.write('example.test.zone', zone);
  const file = directory.write(
    'knot.conf',
    `server:
  rundir: ${directory.path}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${directory.path}
log:
  - target: stderr
    any: error
zone:
  - domain: example.test
    storage: ${directory.path}
    file: example.test.zone
`,
  );
  const command = { program: toolPath('knotd'), args: ['-c', file], core };
  return startListener(command, { port, transport: 'udp', directory });
}

export interface DnsLoad {
  readonly port: number;
  readonly seconds: number;
  /** Sockets that the questions come from. */
  readonly clients?: number;
  /** Questions that wait for an answer at once, over all clients. */
  readonly outstanding?: number;
  readonly core?: number | undefined;
}

export interface DnsAnswers {
  readonly sent: number;
  readonly completed: number;
  readonly lost: number;
  readonly queriesPerSecond: number;
}

/** Asks one name over UDP, again as soon as an answer is in. */
export async function dnsperf(load: DnsLoad): Promise<DnsAnswers> {
  const { port, seconds, clients = 50, outstanding = 100, core } = load;
  const directory = scratch();
  const args = ['-s', '127.0.0.1', '-p', port, '-d', directory.write('questions', question)];
  const volume = ['-c', clients, '-q', outstanding, '-l', seconds, '-t', 1];
  try {
    const program = toolPath('dnsperf');
    return parseDnsperf(await output({ program, args: [...args, ...volume].map(String), core }));
  } finally {
    directory.remove();
  }
}

/** Reads dnsperf's report: lines of `Queries sent:         12`. */
export function parseDnsperf(report: string): DnsAnswers {
  const figure = (label: string) => {
    const [, amount] = new RegExp(`${label}:\\s+([\\d.]+)`).exec(report) ?? [];
    if (amount === undefined) throw new Error(`not a report of dnsperf:\n${report}`);
    return Number(amount);
  };
  return {
    sent: figure('Queries sent'),
    completed: figure('Queries completed'),
    lost: figure('Queries lost'),
    queriesPerSecond: figure('Queries per second'),
  };
}
