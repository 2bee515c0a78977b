/** sluice in the balancer of nat-support.ts, as its users start it and ask it, and clients that watch how they fare. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../lib/control/client.ts';
import { formatHostPort } from '../../lib/model/address.ts';
import type { AllDownPolicy, Protocol, WhenDownPolicy } from '../../lib/model/spec.ts';
import type { BackendView, FlowView, ServiceView } from '../../lib/model/view.ts';
import { type Server, startServer } from '../support/child.ts';
import type { Network } from '../support/netns.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import type { ClientReport } from './fixtures/nat-clients.ts';
import { backends, families } from './nat-support.ts';
import { until } from './support.ts';

/** The commands of one instance, by its control socket. */
export interface Cli {
  /** Of its own; the control socket is in it. */
  readonly directory: Scratch;
  readonly control: string;
  /** Starts `sluice nat VIP BACKEND…` or `sluice up`. */
  start(...args: string[]): Promise<Sluice>;
  /** Runs a command that has to succeed. */
  tell(...args: string[]): Promise<void>;
  backends(): Promise<readonly BackendView[]>;
  services(): Promise<readonly ServiceView[]>;
  flows(...args: string[]): Promise<readonly FlowView[]>;
  /** Resolves when a backend, by its address, is in that state. */
  untilBackend(address: string, state: BackendView['state']): Promise<void>;
}

export function commandLine(): Cli {
  const directory = scratch();
  const control = join(directory.path, 'nat.sock');
  const ask = async (command: string, ...args: string[]) => {
    const { stdout, stderr } = await runSluice([command, ...args, '--control', control, '--json']);
    assert.equal(stderr, '');
    return JSON.parse(stdout);
  };
  return {
    directory,
    control,
    start: (...args) => sluice([...args, '--control', control]),
    async tell(...args) {
      const { code, stderr } = await runSluice([...args, '--control', control]);
      assert.equal(code, 0, stderr);
    },
    backends: async () => (await ask('backends')).backends,
    services: async () => (await ask('status')).services,
    flows: async (...args) => (await ask('flows', ...args)).flows,
    async untilBackend(address, state) {
      const client = new ControlClient(control);
      await until(`${address} is ${state}`, async () =>
        (await client.backends()).some((backend) => backend.address === address && backend.state === state),
      );
      await client.close();
    },
  };
}

/** What `edgeConfiguration` serves, on every VIP and backend: see nat-origin.ts. */
export const edgePorts = { tcp: 9004, udp: 5300 } as const;

export interface EdgeOptions {
  readonly workers?: number;
  /** Further keys of the packet path, as the file has them, with commas between. */
  readonly path?: string;
  readonly snat?: readonly string[];
  readonly whenDown?: WhenDownPolicy;
  readonly whenAllDown?: AllDownPolicy;
  /** As the file has it, in braces. */
  readonly check?: string;
}

/** A configuration with a service `tcp` and a service `udp`, each over both backends in both families. */
export function edgeConfiguration({
  workers = 1,
  path = '',
  snat,
  whenDown = 'reset',
  whenAllDown = 'reject',
  check = '{ type: http, path: /, port: 8080, interval: 200ms, timeout: 400ms, fall: 2, rise: 2 }',
}: EdgeOptions): string {
  const services = (['tcp', 'udp'] as const).map((protocol) => {
    const port = edgePorts[protocol];
    const listen = families.map(({ vip }) => `${protocol}://${formatHostPort(vip, port)}`);
    const addresses = families.flatMap(({ backend }) => backends.map((name) => backend[name]));
    return `
  - name: ${protocol}
    mode: nat
    listen: ${JSON.stringify(listen)}
    backends: ${JSON.stringify(addresses.map((address) => formatHostPort(address, port)))}
    snat: ${JSON.stringify(snat ?? 'auto')}
    when-down: ${whenDown}
    when-all-down: ${whenAllDown}
    check: ${check}`;
  });
  return `nat: { workers: ${workers}, ${path} }\nservices:${services.join('')}\n`;
}

/** The servers of nat-origin.ts on a backend, to be killed and stopped at will; UDP on these VIPs alone, if any. */
export function startOriginServer(
  network: Network,
  name: string,
  vips: readonly string[] = [],
): Promise<Server> {
  const file = fileURLToPath(new URL('./fixtures/nat-origin.ts', import.meta.url));
  const { namespace } = network.host(name);
  return startServer(
    { program: process.execPath, args: ['--import', 'tsx', file, name, ...vips], namespace },
    (server) => until(`${name} is ready`, () => server.stdout() !== ''),
  );
}

export interface Clients extends AsyncDisposable {
  /** How they have fared so far, by VIP. */
  reports(): Promise<readonly ClientReport[]>;
  /** Resolves when that can be said of every VIP's. */
  until(what: string, holds: (report: ClientReport, vip: number) => boolean): Promise<void>;
}

/**
 * Starts so many clients of each kind at each VIP (see nat-clients.ts), and waits until all have had an answer. Those of
 * UDP stay away where its port is 0.
 */
export async function startClients(
  network: Network,
  count: number,
  vips: readonly string[] = families.map(({ vip }) => vip),
  ports: Readonly<Record<Protocol, number>> = edgePorts,
): Promise<Clients> {
  const all = await Promise.all(vips.map((vip) => startClientsOf(network, vip, ports, count)));
  const reports = (): Promise<readonly ClientReport[]> => Promise.all(all.map((each) => each.report()));
  return {
    reports,
    until: (what, holds) => until(what, async () => (await reports()).every(holds)),
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((each) => each.end()));
    },
  };
}

async function startClientsOf(
  network: Network,
  vip: string,
  { tcp, udp }: Readonly<Record<Protocol, number>>,
  count: number,
) {
  const file = fileURLToPath(new URL('./fixtures/nat-clients.ts', import.meta.url));
  const words = [vip, tcp, udp, count].map(String);
  const child = network
    .host('client')
    .spawn(process.execPath, ['--import', 'tsx', file, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const ready = await Promise.race([lines.next(), exited.then(() => undefined)]);
  assert.equal(ready?.value, 'ready', 'clients could not begin');
  return {
    async report(): Promise<ClientReport> {
      child.stdin!.write('\n');
      return JSON.parse((await lines.next()).value);
    },
    async end() {
      process.off('exit', kill);
      kill();
      await exited;
    },
  };
}
