/**
 * Does it answer a datagram. The socket is connected, so that strangers are not heard and an ICMP "port
 * unreachable" arrives as a refused connection instead of as silence.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { CheckSpec } from '../../model/spec.ts';
import { UnwellError } from '../reason.ts';
import type { Probe } from './probe.ts';

/** Passes when the first answer begins with the expected bytes, or is there at all where none are expected. */
export function udpProbe({ send, expect = '' }: Extract<CheckSpec, { type: 'udp' }>): Probe {
  const question = Buffer.from(send, 'hex');
  const beginning = Buffer.from(expect, 'hex');
  return async ({ host, port, source }, signal) => {
    const { address, family } = await lookup(host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      if (source !== undefined) {
        socket.bind({ address: source.address, port: source.port, exclusive: true });
        await once(socket, 'listening', { signal });
      }
      socket.connect(port, address);
      await once(socket, 'connect', { signal });
      const answered = once(socket, 'message', { signal });
      socket.send(question);
      const [answer] = (await answered) as [Buffer];
      if (!answer.subarray(0, beginning.length).equals(beginning)) {
        throw new UnwellError('answer does not match');
      }
    } finally {
      socket.close();
    }
  };
}
