/**
 * Does it answer a request: one GET on a connection of its own, which ends with the answer. Certificates are
 * not verified: a check asks whether the backend is well, not who it is.
 */
import { formatHostPort } from '../../model/address.ts';
import type { CheckSpec } from '../../model/spec.ts';
import { UnwellError } from '../reason.ts';
import { contains } from './contains.ts';
import type { Probe } from './probe.ts';

/** Passes when the status is in range and, where a body is asked for, its first 64 KiB contain that. */
export function httpProbe(check: Extract<CheckSpec, { type: 'http' }>): Probe {
  const { tls, path, host: hostHeader, body: wantedBody } = check;
  const [lowest, highest] = check.status;
  return async ({ host, port }, signal) => {
    const { Client } = await import('undici');
    const origin = `${tls ? 'https' : 'http'}://${formatHostPort(host, port)}`;
    // Time is limited by the signal alone. It is given to the socket as well: a client that is destroyed
    // while it connects would leave the half-made connection to the system's own, long, timeout.
    const client = new Client(origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { rejectUnauthorized: false, timeout: 0, signal },
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
