/** Is the port open: connects, and closes again as a client would that changed its mind. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Probe } from './probe.ts';

/** A backend that has not closed its half by then, or has said so much instead, is let go of all the same. */
const lingerMs = 1_000;
const lingerBytes = 64 * 1024;

/** Passes once the connection is established. */
export const tcpProbe: Probe = async ({ host, port }, signal) => {
  const socket = connect({ host, port, signal });
  await once(socket, 'connect');
  closeGently(socket);
};

/**
 * FIN, not RST: to destroy a socket while a greeting is on its way to it would answer that with a reset, and
 * servers count and log those. What the backend still says is read and thrown away.
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
