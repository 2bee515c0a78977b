/** A connected socket of {@link BatchUdp}: no two sockets can send by one call, so it does not wait for the batch. */
import type { BatchSocket, BatchUdp } from './batch-udp.ts';
import type { ConnectedSocket, Datagram, PeerOwner } from './datagram.ts';

export class BatchConnectedSocket implements ConnectedSocket, BatchSocket {
  readonly #udp: BatchUdp;
  readonly #number: number;
  readonly #owner: PeerOwner;
  #closed = false;

  /** The socket of that number in the transport's group. */
  constructor(udp: BatchUdp, number: number, owner: PeerOwner) {
    this.#udp = udp;
    this.#number = number;
    this.#owner = owner;
  }

  send(datagram: Datagram): string | null {
    return this.#closed ? null : this.#udp.send(this.#number, datagram);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#udp.close(this.#number);
  }

  received(): void {
    this.#owner.onPeerDatagram(this.#udp.datagram);
  }

  failed(code: string): void {
    this.#owner.onPeerFailure(code);
  }

  /** It never queues anything. */
  unsent(): void {}
}
