/** Does it say the right thing: sends a text over TCP, waits for another. Enough for Redis, SMTP and their like. */
import type { CheckSpec } from '../../model/spec.ts';
import { UnwellError } from '../reason.ts';
import { contains } from './contains.ts';
import type { Probe } from './probe.ts';
import { connectTo } from './tcp.ts';

/** Passes when the expected text is among the first 64 KiB that the backend says. */
export function expectProbe({ send, expect }: Extract<CheckSpec, { type: 'expect' }>): Probe {
  return async (target, signal, heard) => {
    const socket = connectTo(target, signal);
    socket.once('connect', heard);
    if (send !== undefined) socket.write(send);
    try {
      if (await contains(socket.iterator({ destroyOnReturn: false }), expect)) return;
      throw new UnwellError(socket.bytesRead === 0 ? 'no answer' : 'answer does not match');
    } finally {
      if (target.source === undefined) socket.destroy();
      else socket.resetAndDestroy();
    }
  };
}
