/**
 * The network that the tests of mode nat run in, and the packet path inside its balancer.
 *
 *   client 10.1.0.2 ──── 10.1.0.1 balancer 10.2.0.1 ──── 10.2.0.2 one
 *          fd01::2       fd01::1           fd02::1       fd02::2
 *                                          10.3.0.1 ──── 10.3.0.2 two
 *                                          fd03::1       fd03::2
 *
 * Clients reach everything through the balancer. 10.9.0.1 and fd09::1 are VIPs that nobody has: routed there.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { systemClock } from '../../lib/daemon/clock.ts';
import type { NatSettings, NatVip } from '../../lib/datapath/nat/settings.ts';
import type { NatDatapath } from '../../lib/datapath/open.ts';
import type { VipBackend } from '../../lib/datapath/settings.ts';
import type { Log } from '../../lib/model/log.ts';
import { defaultHashSeed, type Protocol } from '../../lib/model/spec.ts';
import type { Host, Network, NetworkSpec } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';

export const natNetwork: NetworkSpec = {
  links: [
    { ends: { client: '10.1.0.2/24 fd01::2/64', balancer: '10.1.0.1/24 fd01::1/64' } },
    { ends: { balancer: '10.2.0.1/24 fd02::1/64', one: '10.2.0.2/24 fd02::2/64' } },
    { ends: { balancer: '10.3.0.1/24 fd03::1/64', two: '10.3.0.2/24 fd03::2/64' } },
  ],
  routes: {
    client: ['default via 10.1.0.1', 'default via fd01::1'],
    one: ['default via 10.2.0.1', 'default via fd02::1'],
    two: ['default via 10.3.0.1', 'default via fd03::1'],
  },
};

export const backends = ['one', 'two'] as const;
export type BackendName = (typeof backends)[number];

/** The same world in both families. */
export const families = [
  {
    version: 4,
    vip: '10.9.0.1',
    own: '10.1.0.1',
    client: '10.1.0.2',
    backend: { one: '10.2.0.2', two: '10.3.0.2' },
    snat: { one: '10.2.0.1', two: '10.3.0.1' },
    url: (host: string, port: number) => `http://${host}:${port}`,
  },
  {
    version: 6,
    vip: 'fd09::1',
    own: 'fd01::1',
    client: 'fd01::2',
    backend: { one: 'fd02::2', two: 'fd03::2' },
    snat: { one: 'fd02::1', two: 'fd03::1' },
    url: (host: string, port: number) => `http://[${host}]:${port}`,
  },
] as const;

export type Family = (typeof families)[number];

/** The built one: its workers are files that Node reads by itself. */
const built = new URL('../../dist/datapath/open.js', import.meta.url);
const { natDatapath }: typeof import('../../lib/datapath/open.ts') = await import(built.href);
export type Datapath = NatDatapath;

/** What the packet path has said; shown when a test fails. */
export const logged: string[] = [];
process.once('exit', (code) => {
  if (code !== 0) console.error(logged.join('\n'));
});
const say =
  (level: string) =>
  (message: string, fields?: object): void => {
    logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };

export async function startDatapath(
  vips: readonly NatVip[],
  settings: Partial<NatSettings> = {},
): Promise<Datapath> {
  const datapath = natDatapath(
    {
      name: 'test',
      directory: scratch().path,
      workers: 1,
      snatAddresses: [],
      snatPorts: [61_000, 65_535],
      maxFlows: 4_096,
      onFailure: 'drop',
      addVip: undefined,
      hashSeed: defaultHashSeed,
      timeouts: defaultFlowTimeouts,
      ...settings,
    },
    log,
    systemClock,
  );
  await datapath.start(vips);
  return datapath;
}

export function backendOf(
  family: Family,
  name: BackendName,
  port: number,
  change: Partial<VipBackend> = {},
): VipBackend {
  return { name, address: family.backend[name], port, weight: 1, up: true, ...change };
}

/** A service on a family's VIP, over both backends unless it is changed. */
export function vipOf(
  family: Family,
  protocol: Protocol,
  port: number,
  backendPort: number,
  change: Partial<NatVip> = {},
): NatVip {
  return {
    service: `${protocol}-${port}`,
    protocol,
    address: family.vip,
    port,
    balance: 'maglev',
    snat: true,
    whenDown: 'reset',
    whenAllDown: 'reject',
    backends: backends.map((name) => backendOf(family, name, backendPort)),
    ...change,
  };
}

/** Starts a backend's servers, which end with the test. The answer ends them before, and waits for it. */
export async function startOrigin(
  network: Network,
  name: BackendName | 'balancer',
): Promise<() => Promise<void>> {
  const file = fileURLToPath(new URL('./fixtures/nat-origin.ts', import.meta.url));
  return startProgram(network, name, process.execPath, ['--import', 'tsx', file, name], (child) =>
    once(child.stdout!, 'data'),
  );
}

/** Starts a program on a host; it ends with the test and, once it is ready, does not keep it from ending. */
export async function startProgram(
  network: Network,
  host: string,
  program: string,
  args: readonly string[],
  ready: (child: ChildProcess) => Promise<unknown>,
): Promise<() => Promise<void>> {
  const child = network.host(host).spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await ready(child);
  child.unref();
  (child.stdout as Socket).unref();
  return async () => {
    child.ref();
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
}

/**
 * Runs Python on a host and returns what it printed. It has `connect(address, port, source_port=0)`, a TCP socket to
 * there whose every call waits for 5 seconds at most.
 */
export function python(host: Host, code: string): string {
  return host.run(`python3 - <<'END'\n${pythonPrelude}\n${code}\nEND`);
}

const pythonPrelude = `import socket, struct
def connect(address, port, source_port=0):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(5)
    if source_port:
        s.bind(("", source_port))
    s.connect((address, port))
    return s
def abort(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()`;
