/** Does it say the right thing: sends a text over TCP, waits for another. Enough for Redis, SMTP and their like. */
import { connect } from 'node:net';
import type { CheckSpec } from '../../model/spec.ts';
import { UnwellError } from '../reason.ts';
import { contains } from './contains.ts';
import type { Probe } from './probe.ts';

/** Passes when the expected text is among the first 64 KiB that the backend says. */
export function expectProbe({ send, expect }: Extract<CheckSpec, { type: 'expect' }>): Probe {
  return async ({ host, port }, signal) => {
    const socket = connect({ host, port, signal });
    if (send !== undefined) socket.write(send);
    if (await contains(socket, expect)) return;
    throw new UnwellError(socket.bytesRead === 0 ? 'no answer' : 'answer does not match');
  };
}
