/** Free ports of the loopback, and the moment somebody listens on one. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Below Linux's ephemeral ports (32768 and up), so that no outgoing connection takes one in between. */
const lowestPort = 20_000;
const highestPort = 32_000;

export type Transport = 'tcp' | 'udp';

/** A port of 127.0.0.1 on which nobody listens, neither with TCP nor with UDP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort));
    if ((await canListen(port)) && (await canBind(port))) return port;
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const free = await succeeds(once(server, 'listening'));
  if (free) await new Promise((closed) => server.close(closed));
  return free;
}

async function canBind(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  const free = await succeeds(once(socket, 'listening'));
  socket.close();
  return free;
}

function succeeds(event: Promise<unknown>): Promise<boolean> {
  return event.then(
    () => true,
    () => false,
  );
}

/** Column `st` of /proc/net: a TCP socket that listens, a UDP socket that is bound. */
const listeningState = { tcp: '0A', udp: '07' } as const;

/**
 * Whether a socket listens on the port, in the network namespace of a process or in this one. Asks /proc, so that
 * the listener sees nothing.
 */
export function isListening(transport: Transport, port: number, pid: number | 'self' = 'self'): boolean {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const socket = new RegExp(
    `^\\s*\\d+: [0-9A-F]+:${hexPort} [0-9A-F]+:0000 ${listeningState[transport]} `,
    'm',
  );
  return [`/proc/${pid}/net/${transport}`, `/proc/${pid}/net/${transport}6`].some(
    (table) => existsSync(table) && socket.test(readFileSync(table, 'utf8')),
  );
}

/** Resolves once the port is listened on; gives up when `signal` aborts. */
export async function listening(
  transport: Transport,
  port: number,
  signal: AbortSignal,
  pid?: number,
): Promise<void> {
  while (!isListening(transport, port, pid)) await delay(10, undefined, { signal });
}
