/**
 * The addresses that flows refer to by number, so that a flow needs two bytes where it would need eighteen.
 * A number keeps its meaning for as long as one flow uses it; who publishes the book sees to that.
 */

/** Columns, by number; an address is four words as in `Packet.words`. Number 0 is nobody in each of them. */
export interface AddressBook {
  /** Where clients come to: address, port, protocol. */
  readonly vipWords: Int32Array;
  readonly vipPort: Uint16Array;
  readonly vipProtocol: Uint8Array;
  /** Where they are sent. The protocol is that of the VIP. */
  readonly endpointWords: Int32Array;
  readonly endpointPort: Uint16Array;
  /** The balancer's own source addresses. Number 0: the client's address and port stay as they are. */
  readonly snatWords: Int32Array;
}
