/**
 * Someone on another host who sends datagrams when told to, so that a test does not start a process for each. Between
 * the ends of a veth pair a packet has arrived, and been answered by an ICMP error, soon after `send` resolves.
 */
import { createInterface } from 'node:readline';
import type { Host } from '../../../support/netns.ts';

export interface Datagram {
  readonly to: string;
  readonly toPort: number;
  /** An address of the host; chosen by the kernel by default. */
  readonly from?: string;
  readonly fromPort?: number;
  /** Bytes of payload; default 1. */
  readonly size?: number;
}

export interface Courier {
  /** Resolves when the datagram has left, whatever becomes of it. */
  send(datagram: Datagram): Promise<void>;
  stop(): void;
}

const program = `
const { createSocket } = require('node:dgram');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { to, toPort, from, fromPort = 0, size = 1 } = JSON.parse(line);
  const socket = createSocket({ type: to.includes(':') ? 'udp6' : 'udp4', reuseAddr: true });
  // EPERM: a rule of the host's own has dropped it.
  const done = (error) => { console.log(error && error.code !== 'EPERM' ? error.message : 'sent'); socket.close(); };
  socket.once('error', done).bind(fromPort, from, () => socket.send(Buffer.alloc(size), toPort, to, done));
});`;

export function startCourier(host: Host): Courier {
  const child = host.spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    async send(datagram) {
      child.stdin!.write(`${JSON.stringify(datagram)}\n`);
      const { value } = await answers.next();
      if (value !== 'sent') throw new Error(`${host.name} could not send: ${value}`);
    },
    stop: () => void child.kill(),
  };
}
