/** Is the port open: connects, and closes again as a client would that changed its mind. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Probe, Source, Target } from './probe.ts';

/** A backend that has not closed its half by then, or has said so much instead, is let go of all the same. */
const lingerMs = 1_000;
const lingerBytes = 64 * 1024;

/** Passes once the connection is established. */
export const tcpProbe: Probe = async (target, signal) => {
  const socket = connectTo(target, signal);
  await once(socket, 'connect');
  if (target.source === undefined) closeGently(socket);
  else socket.resetAndDestroy();
};

/** A connection to a target, from where it has to come. */
export function connectTo({ host, port, source }: Target, signal: AbortSignal): Socket {
  return connect({ host, port, signal, ...localEnd(source) });
}

/** A source in the words of `node:net`. */
export function localEnd(source: Source | undefined): { localAddress?: string; localPort?: number } {
  return source === undefined ? {} : { localAddress: source.address, localPort: source.port };
}

/**
 * FIN, not RST: to destroy a socket while a greeting is on its way to it would answer that with a reset, and
 * servers count and log those. What the backend still says is read and thrown away. But who closes first keeps
 * the port for a minute, so that a port that is used again and again has to be let go of by RST.
 */
function closeGently(socket: Socket): void {
  const linger = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.on('error', () => undefined);
  socket.on('close', () => clearTimeout(linger));
  socket.on('data', () => {
    if (socket.bytesRead > lingerBytes) socket.destroy();
  });
  socket.unref();
  socket.end();
}
