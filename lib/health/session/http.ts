/**
 * Does it answer a request: one GET on a connection of its own, which ends with the answer. Certificates are
 * not verified: a check asks whether the backend is well, not who it is.
 */
import type { Socket } from 'node:net';
import { formatHostPort } from '../../model/address.ts';
import type { CheckSpec } from '../../model/spec.ts';
import { UnwellError } from '../reason.ts';
import { contains } from './contains.ts';
import type { Probe } from './probe.ts';
import { localEnd } from './tcp.ts';

/** Passes when the status is in range and, where a body is asked for, its first 64 KiB contain that. */
export function httpProbe(check: Extract<CheckSpec, { type: 'http' }>): Probe {
  const { tls, path, host: hostHeader, body: wantedBody } = check;
  const [lowest, highest] = check.status;
  return async ({ host, port, source }, signal, heard) => {
    const { buildConnector, Client } = await import('undici');
    const origin = `${tls ? 'https' : 'http'}://${formatHostPort(host, port)}`;
    // Time is limited by the signal alone. It is given to the socket as well: a client that is destroyed
    // while it connects would leave the half-made connection to the system's own, long, timeout.
    const connect = buildConnector({ rejectUnauthorized: false, timeout: 0, signal, ...localEnd(source) });
    const client = new Client(origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(source === undefined ? {} : { localAddress: source.address }),
      connect(options, callback) {
        connect(options, (...outcome) => {
          const [, connection] = outcome;
          if (connection) heard();
          // What lies under TLS cannot be reset; there the server, which is asked to, closes first.
          if (connection && source !== undefined && !tls) resetAtEnd(connection);
          callback(...outcome);
        });
      },
    });
    try {
      const { statusCode, body } = await client.request({
        method: 'GET',
        path,
        headers: { 'user-agent': 'sluice', ...(hostHeader === undefined ? {} : { host: hostHeader }) },
        reset: true,
        signal,
      });
      if (statusCode < lowest || statusCode > highest) throw new UnwellError(`status ${statusCode}`);
      if (wantedBody !== undefined && !(await contains(body, wantedBody))) {
        throw new UnwellError('body does not match');
      }
    } finally {
      await client.destroy();
    }
  };
}

/** Has whoever destroys the connection reset it (see tcp.ts), and told of the same error. */
function resetAtEnd(connection: Socket): void {
  const destroy = connection.destroy.bind(connection);
  connection.destroy = (error) => {
    connection.destroy = destroy;
    connection.resetAndDestroy();
    if (error) connection.emit('error', error);
    return connection;
  };
}
