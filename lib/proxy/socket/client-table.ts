/**
 * Finds a client of a bound socket by the record in which a datagram of its has come. What tells clients apart is
 * their address and port, and the address of this machine that they write to.
 *
 *     keyed hash of address and port ──▶ client ── next ──▶ client     as good as always just one
 *
 * The key is a secret of the process: nobody can send from addresses that all meet in one chain.
 */

import { RecordWord } from 'node-linux-sockets';
import type { TupleHash } from '../../conntrack/half-siphash.ts';
import { Protocol } from '../../packet/packet.ts';

const { port, peer, local, scope } = RecordWord;

/** What a client in the table brings along. */
export interface TableClient<Client> {
  /** A copy of its first record. */
  readonly record: Int32Array;
  /** The table's own. */
  hash: number;
  next: Client | undefined;
}

export class ClientTable<Client extends TableClient<Client>> {
  readonly #hash: TupleHash;
  readonly #first = new Map<number, Client>();

  constructor(hash: TupleHash) {
    this.#hash = hash;
  }

  /** The client whose record begins at word `at`. */
  find(records: Int32Array, at: number): Client | undefined {
    let client = this.#first.get(this.#hashOf(records, at));
    while (client !== undefined && !isSame(client.record, records, at)) client = client.next;
    return client;
  }

  /** Enters a client that is not there yet. */
  add(client: Client): void {
    client.hash = this.#hashOf(client.record, 0);
    client.next = this.#first.get(client.hash);
    this.#first.set(client.hash, client);
  }

  /** Takes a client out; nothing happens if it is not there. */
  remove(client: Client): void {
    const first = this.#first.get(client.hash);
    if (first === client) {
      if (client.next === undefined) this.#first.delete(client.hash);
      else this.#first.set(client.hash, client.next);
      return;
    }
    for (let before = first; before !== undefined; before = before.next) {
      if (before.next === client) before.next = client.next;
    }
  }

  #hashOf(records: Int32Array, at: number): number {
    return this.#hash.of(records, at + peer, at + peer, records[at + port]!, Protocol.udp);
  }
}

function isSame(record: Int32Array, records: Int32Array, at: number): boolean {
  return (
    record[port] === records[at + port] &&
    record[scope] === records[at + scope] &&
    sameAddress(record, records, at, peer) &&
    sameAddress(record, records, at, local)
  );
}

function sameAddress(record: Int32Array, records: Int32Array, at: number, word: number): boolean {
  return (
    record[word + 3] === records[at + word + 3] &&
    record[word + 2] === records[at + word + 2] &&
    record[word + 1] === records[at + word + 1] &&
    record[word] === records[at + word]
  );
}
