/** The backends of the demonstration: small HTTP servers on free ports of the loopback, all in this process. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Origin {
  /** `127.0.0.1:PORT`, which is also what it answers with. */
  readonly address: string;
  close(): void;
}

/** So that kept connections end now and then, and move away from a backend that is draining. */
const requestsPerConnection = 20;

/** Starts one that answers every request with its own address. */
export async function startOrigin(): Promise<Origin> {
  const server = createServer((_request, response) => response.end(address));
  server.maxRequestsPerSocket = requestsPerConnection;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
