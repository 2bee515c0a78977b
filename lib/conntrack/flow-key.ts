/**
 * A flow's two five-tuples, written out from its row and the address book:
 *
 *   original  client : port  →  VIP : port          what the client sends
 *   answer    endpoint : port  →  SNAT : port       what the backend sends; client : port when there is no SNAT
 */
import { destinationAt, sourceAt } from '../packet/packet.ts';
import type { AddressBook } from './address-book.ts';
import { type FlowRows, Word, wordShift } from './flow-rows.ts';
import type { TupleHash } from './half-siphash.ts';

export const Direction = { original: 0, answer: 1 } as const;

/** Copies an address of four words. */
export function copyAddress(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  to[toAt] = from[fromAt]!;
  to[toAt + 1] = from[fromAt + 1]!;
  to[toAt + 2] = from[fromAt + 2]!;
  to[toAt + 3] = from[fromAt + 3]!;
}

/** Whether two addresses of four words are the same. */
export function sameAddress(a: Int32Array, aAt: number, b: Int32Array, bAt: number): boolean {
  return (
    a[aAt + 3] === b[bAt + 3] && a[aAt + 2] === b[bAt + 2] && a[aAt + 1] === b[bAt + 1] && a[aAt] === b[bAt]
  );
}

/** A five-tuple in a scratch area that is used again and again. */
export class FlowKey {
  readonly words = new Int32Array(8);
  sourcePort = 0;
  destinationPort = 0;
  protocol = 0;

  /** Takes on one of the keys of a row. */
  read(rows: FlowRows, book: AddressBook, row: number, direction: number): void {
    const vip = rows.vipOf(row);
    const client = (row << wordShift) + Word.client;
    this.protocol = book.vipProtocol[vip]!;
    if (direction === Direction.original) {
      copyAddress(rows.words, client, this.words, sourceAt);
      copyAddress(book.vipWords, vip << 2, this.words, destinationAt);
      this.sourcePort = rows.clientPortOf(row);
      this.destinationPort = book.vipPort[vip]!;
      return;
    }
    const endpoint = rows.endpointOf(row);
    const snat = rows.snatOf(row);
    copyAddress(book.endpointWords, endpoint << 2, this.words, sourceAt);
    if (snat === 0) copyAddress(rows.words, client, this.words, destinationAt);
    else copyAddress(book.snatWords, snat << 2, this.words, destinationAt);
    this.sourcePort = book.endpointPort[endpoint]!;
    this.destinationPort = rows.snatPortOf(row);
  }

  hash(hash: TupleHash): number {
    const ports = (this.sourcePort << 16) | this.destinationPort;
    return hash.of(this.words, sourceAt, destinationAt, ports, this.protocol);
  }
}
