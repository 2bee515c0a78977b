/** A UDP socket that hears what raw packets bring. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** How long a datagram may take on a machine that is busy. */
const patienceMs = 10_000;

export interface UdpReceiver {
  readonly port: number;
  /** The next `count` datagrams, each with its sender: `10.1.0.7:4000 text`; rejects if they do not come. */
  arrivals(count: number): Promise<string[]>;
  close(): void;
}

export async function udpReceiver(address: string): Promise<UdpReceiver> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(0, address);
  await once(socket, 'listening');
  const arrived: string[] = [];
  socket.on('message', (bytes, from) => arrived.push(`${from.address}:${from.port} ${bytes}`));
  return {
    port: socket.address().port,
    async arrivals(count) {
      const signal = AbortSignal.timeout(patienceMs);
      while (arrived.length < count) await once(socket, 'message', { signal });
      return arrived.splice(0, count);
    },
    close: () => socket.close(),
  };
}
