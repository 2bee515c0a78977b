/** Backends on 127.0.0.1 that behave as badly as a test needs; each is gone when its test ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Probe, type ProbeFailure, type ProbeResult } from '../../../lib/health/session/probe.ts';

export const host = '127.0.0.1';

/** What a probe says about a port, given `withinMs`; ample unless the test is about time. */
export function tell(probe: Probe, port: number, withinMs = 60_000): Promise<ProbeResult> {
  return ask(probe, { host, port, backendName: 'web-1' }, AbortSignal.timeout(withinMs));
}

export const well: ProbeResult = { ok: true };

/** Of a backend that was heard, unless it says otherwise. */
export function unwell(reason: string, reached: ProbeFailure['reached'] = 'backend'): ProbeResult {
  return { ok: false, reason, reached };
}

/** A port that is served by `onConnection`, or, without one, accepts and then never says a word. */
export async function serve(
  t: TestContext,
  onConnection: (socket: Socket) => void = (socket) => socket.resume(),
): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  return listenFor(t, server);
}

/** Listens on a free port until the test ends. */
export async function listenFor(t: TestContext, server: Server): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * A port whose SYNs are not answered: its process is stopped before it accepts anything and its backlog is
 * then filled, so that the kernel drops what comes after.
 */
export async function blackhole(t: TestContext): Promise<number> {
  const listen =
    "listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port) })";
  const child = spawn(process.execPath, ['-e', `require('node:net').createServer().${listen}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const port = Number(line);
  for (let connected = true; connected; ) {
    const filler = connect({ host, port });
    t.after(() => filler.destroy());
    filler.on('error', () => undefined);
    connected = await Promise.race([once(filler, 'connect').then(() => true), sleep(300, false)]);
  }
  return port;
}

/** Waits for something that is bound to happen, and fails long after it should have. */
export async function eventually(happened: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(10_000);
  while (!happened()) await sleep(10, undefined, { signal: deadline });
}

/** TCP sockets of this process, connected or connecting. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}
