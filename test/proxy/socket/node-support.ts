/** Real peers of the loopback, made with `node:net`: what the proxy's own sockets are held against. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WirePeer } from './stream-contract.ts';

/** Waits for something that is bound to happen, and fails long after it should have. */
export async function until(happened: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(10_000);
  while (!happened()) await sleep(1, undefined, { signal: deadline });
}

/** Long enough for whatever is on its way through the loopback. */
export function rest(): Promise<void> {
  return sleep(30);
}

/** A socket that keeps its own half open, and what it has heard. */
export class NetPeer implements WirePeer {
  readonly socket: Socket;
  /** The code of its error, null while all is well. */
  error: string | null = null;
  readonly #chunks: Buffer[] = [];
  #gotFin = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
    });
    socket.on('end', () => {
      this.#gotFin = true;
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.error = code ?? 'an error without a code';
    });
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }
  finish(): void {
    this.socket.end();
  }
  reset(): void {
    this.socket.resetAndDestroy();
  }
  stopReading(): void {
    this.socket.pause();
  }
  startReading(): void {
    this.socket.resume();
  }
  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
  text(): string {
    return this.bytes().toString();
  }
  gotFin(): boolean {
    return this.#gotFin;
  }
  /** What Linux makes of a RST that comes behind a FIN is EPIPE. */
  gotReset(): boolean {
    return this.error === 'ECONNRESET' || this.error === 'EPIPE';
  }
}

/** A client that keeps its own half open. */
export function dial(port: number, host = '127.0.0.1'): NetPeer {
  return new NetPeer(connect({ port, host, allowHalfOpen: true, noDelay: true }));
}

/** A server of the loopback and all that it accepts; gone, connections and all, when it is disposed of. */
export class NetBackend implements AsyncDisposable {
  readonly accepted: NetPeer[] = [];
  readonly #server: Server;

  private constructor(onPeer: (peer: NetPeer) => void) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const peer = new NetPeer(socket);
      this.accepted.push(peer);
      onPeer(peer);
    });
  }

  /** On a free port. `onPeer` decides how it behaves; without it, it listens and says nothing. */
  static async start(onPeer: (peer: NetPeer) => void = () => undefined, host = '127.0.0.1') {
    const backend = new NetBackend(onPeer);
    backend.#server.listen(0, host);
    await once(backend.#server, 'listening');
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.accepted) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
