/**
 * An instance on HTTP: all of it on a unix socket, what anybody may see on a TCP port. Neither keeps the process alive,
 * and closing waits for nobody: whoever is still asking when an instance ends has the connection cut.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { Log } from '../model/log.ts';
import type { HostPort } from '../model/spec.ts';
import { bindError } from '../proxy/socket/bind-error.ts';
import type { Controllable } from './controllable.ts';
import { requestHandler } from './handler.ts';
import { controlRoutes, openRoutes, type Route } from './routes.ts';
import { bindSocket } from './socket.ts';

const requestTimeoutMs = 10_000;
/** Descriptors that scrapers and operators may hold at once; the rest belong to the traffic. */
const mostConnections = 64;

export interface ControlServer {
  /** Of the unix socket, absolute. */
  readonly path: string;
  /** Removes the socket, if it is still this server's, and ends every connection. */
  close(): Promise<void>;
}

/**
 * Serves `instance` at `path`. A socket that a crash left there is replaced. Rejects with ERR_SLUICE_CONTROL_IN_USE,
 * _NOT_WRITABLE or _PATH_TOO_LONG.
 */
export async function serveControl(path: string, instance: Controllable, log: Log): Promise<ControlServer> {
  const server = createHttpServer(instance, controlRoutes, log);
  const absolutePath = resolve(path);
  const removeSocket = await bindSocket(server, absolutePath);
  detach(server, log);
  return {
    path: absolutePath,
    async close() {
      if (server.listening) removeSocket();
      await closeNow(server);
    },
  };
}

export interface MetricsServer {
  /** With the port that was given where 0 was asked for. */
  readonly address: HostPort;
  close(): Promise<void>;
}

/** Serves /metrics, /livez and /readyz of `instance` over TCP. Rejects as any listener does that cannot be bound. */
export async function serveMetrics(
  { host, port }: HostPort,
  instance: Controllable,
  log: Log,
): Promise<MetricsServer> {
  const server = createHttpServer(instance, openRoutes, log);
  try {
    server.listen({ port, ...(host === '' ? {} : { host }) });
    await once(server, 'listening');
  } catch (error) {
    throw bindError('tcp', { host, port }, String((error as NodeJS.ErrnoException).code));
  }
  detach(server, log);
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    close: () => closeNow(server),
  };
}

function createHttpServer(instance: Controllable, routes: readonly Route[], log: Log): Server {
  const server = createServer({ requestTimeout: requestTimeoutMs }, requestHandler(instance, routes, log));
  server.maxConnections = mostConnections;
  server.on('connection', (socket) => socket.unref());
  return server;
}

/** From now on the server is a guest of the process: it neither holds it up nor brings it down. */
function detach(server: Server, log: Log): void {
  server.unref();
  server.on('error', (error) => log.warn('a control connection was not accepted', { reason: error.message }));
}

async function closeNow(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeAllConnections();
  await closed;
}
