/** What carries UDP on this machine: batches where there is a native part for it, Node's handles elsewhere. */
import type { Log } from '../../model/log.ts';
import type { UdpTransport } from './datagram.ts';
import { nodeUdp } from './node-udp.ts';

let carrier: UdpTransport | undefined;

/** To be awaited before the first socket is opened. What batches take is loaded here: TCP alone need not wait for it. */
export async function loadUdp(log: Log): Promise<void> {
  carrier ??= await batchesOrNode(log);
}

/** The UDP of this thread. Until `loadUdp` is through it is that of Node. */
export const udp: UdpTransport = {
  bind: (at, owner) => (carrier ?? nodeUdp).bind(at, owner),
  connect: (address, port, owner) => (carrier ?? nodeUdp).connect(address, port, owner),
};

async function batchesOrNode(log: Log): Promise<UdpTransport> {
  const [{ BatchUdp }, { LinuxSocketError }] = await Promise.all([
    import('./batch-udp.ts'),
    import('node-linux-sockets'),
  ]);
  try {
    return new BatchUdp();
  } catch (error) {
    if (!(error instanceof LinuxSocketError)) throw error;
    log.info('UDP goes datagram by datagram, which takes more processor time', { reason: error.message });
    return nodeUdp;
  }
}
