/**
 * Where packets leave that cannot go on in place of the one that came: an outbox for each family, emptied into a raw
 * socket after the verdicts of a batch.
 */
import type { RawSocket } from 'node-linux-sockets';
import { Outbox } from '../forward/outbox.ts';

/** What is needed of a raw socket. */
export type PacketSocket = Pick<RawSocket, 'send'>;

/** Two for each packet of a batch: a datagram of 64 KiB is many more, but comes seldom. */
const packets = 1_024;
const bytes = 1 << 20;

export class Outlet {
  readonly ipv4 = new Outbox(packets, bytes);
  readonly ipv6 = new Outbox(packets, bytes);
  readonly #sockets: Partial<Record<4 | 6, PacketSocket>> = {};
  readonly #openSocket: (family: 4 | 6) => PacketSocket;

  /** `openSocket` is called when the first packet of a family is to leave. */
  constructor(openSocket: (family: 4 | 6) => PacketSocket) {
    this.#openSocket = openSocket;
  }

  /** Sends all that there is. */
  flush(): void {
    this.#flush(4, this.ipv4);
    this.#flush(6, this.ipv6);
  }

  #flush(family: 4 | 6, outbox: Outbox): void {
    if (outbox.count === 0) return;
    this.#sockets[family] ??= this.#openSocket(family);
    this.#sockets[family].send(outbox.bytes, outbox.offset, outbox.length, outbox.count);
    outbox.clear();
  }
}
