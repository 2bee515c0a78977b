/** UDP between two sockets of one process, by way of a queue. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Network } from '../../../../test/support/netns.ts';

/** Every rule sends the pair's datagrams, before they reach the receiver, to this queue. */
export const queueNumber = 7;

/** How long a datagram may take on a machine that is busy. */
const patienceMs = 10_000;

export interface UdpPair {
  readonly port: number;
  /** Resolves when the kernel has taken the datagrams: they are in the queue then. */
  send(...texts: readonly string[]): Promise<void>;
  /** The next `count` datagrams that arrive, as text; rejects if they do not. */
  arrivals(count: number): Promise<string[]>;
  close(): void;
}

/** Two sockets on the loopback device, and a rule for the datagrams between them. */
export async function udpThroughQueue(
  network: Network,
  hostName: string,
  address: '127.0.0.1' | '::1' = '127.0.0.1',
): Promise<UdpPair> {
  const type = address === '::1' ? 'udp6' : 'udp4';
  const iptables = address === '::1' ? 'ip6tables' : 'iptables';
  const receiver = createSocket(type);
  const sender = createSocket(type);
  receiver.bind(0, address);
  await once(receiver, 'listening');
  const { port } = receiver.address();
  const rule = `INPUT -p udp --dport ${port} -j NFQUEUE --queue-num ${queueNumber}`;
  network.host(hostName).run(`${iptables} -w -A ${rule}`);

  const arrived: string[] = [];
  receiver.on('message', (message) => arrived.push(message.toString()));

  return {
    port,
    async send(...texts) {
      for (const text of texts) await sent(sender, text, port, address);
    },
    async arrivals(count) {
      const signal = AbortSignal.timeout(patienceMs);
      while (arrived.length < count) await once(receiver, 'message', { signal });
      return arrived.splice(0, count);
    },
    close() {
      network.host(hostName).run(`${iptables} -w -D ${rule}`);
      sender.close();
      receiver.close();
    },
  };
}

function sent(socket: Socket, text: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(text, port, address, (error) => (error ? reject(error) : resolve()));
  });
}
