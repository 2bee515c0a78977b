/**
 * What places a new flow: the key of `hash/flow-key.ts`, written from a packet of the client's instead of from text,
 * so that a packet and a socket of the same flow are placed alike.
 */
import { flowKeyLength, flowKeyOffset } from '../hash/flow-key.ts';
import type { Packet } from '../packet/packet.ts';

/** Writes the key of the flow that a TCP or UDP packet to a VIP belongs to at the beginning of `into`; its length. */
export function writePlacementKey(packet: Packet, into: DataView): number {
  // Client and VIP follow each other there as source and destination do here.
  for (let index = 0; index < 8; index++) {
    into.setInt32(flowKeyOffset.clientAddress + index * 4, packet.words[index]!);
  }
  into.setUint16(flowKeyOffset.clientPort, packet.sourcePort);
  into.setUint16(flowKeyOffset.vipPort, packet.destinationPort);
  into.setUint8(flowKeyOffset.protocol, packet.protocol);
  return flowKeyLength;
}
