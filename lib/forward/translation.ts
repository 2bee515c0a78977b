/**
 * What a flow's packets become on the other side of the balancer, and the writing of it: the one place that knows
 * which addresses stand for which.
 *
 *   original   client : port → VIP : port             becomes   SNAT : port → endpoint : port
 *   answer     endpoint : port → SNAT : port          becomes   VIP : port → client : port
 *
 * Without SNAT the client's own address and port stand where SNAT does. Translating a packet and then translating
 * the mirror image of what came out, in the other direction, gives the mirror image of the packet.
 */
import type { AddressBook } from '../conntrack/address-book.ts';
import { Direction } from '../conntrack/flow-key.ts';
import { type FlowRows, Word, wordShift } from '../conntrack/flow-rows.ts';
import { Fragment, type Packet } from '../packet/packet.ts';
import { rewriteAddresses, rewritePorts } from '../packet/rewrite.ts';

/** The new ends of a flow's packets in one direction. Refers to columns and copies nothing; filled again each time. */
export class Translation {
  /** Where the new source's four words stand. */
  source: Int32Array;
  sourceAt = 0;
  sourcePort = 0;
  destination: Int32Array;
  destinationAt = 0;
  destinationPort = 0;

  constructor(rows: FlowRows) {
    this.source = rows.words;
    this.destination = rows.words;
  }

  /** Becomes the translation of a flow's packets in `direction`. */
  of(rows: FlowRows, book: AddressBook, flow: number, direction: number): void {
    const client = (flow << wordShift) + Word.client;
    if (direction === Direction.original) {
      const snat = rows.snatOf(flow);
      const endpoint = rows.endpointOf(flow);
      this.source = snat === 0 ? rows.words : book.snatWords;
      this.sourceAt = snat === 0 ? client : snat << 2;
      this.sourcePort = rows.snatPortOf(flow);
      this.destination = book.endpointWords;
      this.destinationAt = endpoint << 2;
      this.destinationPort = book.endpointPort[endpoint]!;
      return;
    }
    const vip = rows.vipOf(flow);
    this.source = book.vipWords;
    this.sourceAt = vip << 2;
    this.sourcePort = book.vipPort[vip]!;
    this.destination = rows.words;
    this.destinationAt = client;
    this.destinationPort = rows.clientPortOf(flow);
  }

  /** Writes it into a TCP or UDP packet. `partial`: the checksum field holds a pseudo-header sum (see rewrite.ts). */
  apply(view: DataView, packet: Packet, partial: boolean): void {
    const delta = rewriteAddresses(
      view,
      packet,
      this.source,
      this.sourceAt,
      this.destination,
      this.destinationAt,
    );
    if (packet.fragment === Fragment.later) return;
    rewritePorts(view, packet, this.sourcePort, this.destinationPort, delta, partial);
  }
}
