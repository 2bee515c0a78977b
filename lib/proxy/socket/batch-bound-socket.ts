/** A bound socket of {@link BatchUdp}, and the clients that it has accepted. */
import { RecordWord, recordWords } from 'node-linux-sockets';
import { formatAddress } from '../../packet/address.ts';
import type { BatchSocket, BatchUdp } from './batch-udp.ts';
import { ClientTable, type TableClient } from './client-table.ts';
import type { BoundSocket, BoundSocketOwner, ClientOwner, Datagram, UdpClient } from './datagram.ts';

/** Tells clients from strangers by the addresses of each datagram. */
export class BatchBoundSocket implements BoundSocket, BatchSocket {
  readonly #udp: BatchUdp;
  readonly #number: number;
  readonly #owner: BoundSocketOwner;
  readonly #clients: ClientTable<BatchClient>;
  /** Where the record begins of the stranger who is being told of. */
  #strangerAt = 0;
  #closed = false;

  /** The socket of that number in the transport's group. */
  constructor(udp: BatchUdp, number: number, owner: BoundSocketOwner) {
    this.#udp = udp;
    this.#number = number;
    this.#owner = owner;
    this.#clients = new ClientTable(udp.hash);
  }

  get port(): number {
    return this.#closed ? 0 : this.#udp.group.port(this.#number);
  }

  accept(owner: ClientOwner): UdpClient {
    const record = this.#udp.group.received.slice(this.#strangerAt, this.#strangerAt + recordWords);
    const client = new BatchClient(this, owner, record);
    this.#clients.add(client);
    return client;
  }

  close(): void {
    if (this.#closed) return;
    this.#udp.flush();
    this.#closed = true;
    this.#udp.close(this.#number);
  }

  received(at: number): void {
    const { group, datagram } = this.#udp;
    const client = this.#clients.find(group.received, at);
    if (client !== undefined) {
      client.owner.onClientDatagram(datagram);
      return;
    }
    this.#strangerAt = at;
    this.#owner.onStranger(datagram);
  }

  failed(code: string): void {
    this.#owner.onFailure(code);
  }

  unsent(code: string): void {
    this.#owner.onUnsent(code);
  }

  answer(client: BatchClient, datagram: Datagram): void {
    if (!this.#closed) this.#udp.queue(this.#number, client.record, datagram);
  }

  forget(client: BatchClient): void {
    this.#clients.remove(client);
  }
}

class BatchClient implements UdpClient, TableClient<BatchClient> {
  readonly address: string;
  readonly owner: ClientOwner;
  readonly record: Int32Array;
  hash = 0;
  next: BatchClient | undefined = undefined;
  readonly #socket: BatchBoundSocket;

  constructor(socket: BatchBoundSocket, owner: ClientOwner, record: Int32Array) {
    this.#socket = socket;
    this.owner = owner;
    this.record = record;
    const scope = record[RecordWord.scope]!;
    const address = formatAddress(record, RecordWord.peer);
    this.address = scope === 0 ? address : `${address}%${scope}`;
  }

  get port(): number {
    return this.record[RecordWord.port]!;
  }

  send(datagram: Datagram): void {
    this.#socket.answer(this, datagram);
  }

  close(): void {
    this.#socket.forget(this);
  }
}
