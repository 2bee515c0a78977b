/**
 * Numbers that differ from flow to flow and are the same for all packets of one, for whoever spreads tunnel packets over
 * links and queues by what their outer headers say. They are seen outside, so no secret goes into them; nothing but
 * evenness is asked of them.
 */
import type { Packet } from '../packet/packet.ts';

/** 32 bits of a TCP or UDP packet's source and ports. */
export function spreadOf(packet: Packet): number {
  const ports = (packet.sourcePort << 16) | packet.destinationPort;
  return mix(addressSpreadOf(packet) ^ ports ^ packet.protocol);
}

/** 32 bits of a packet's source alone. */
export function addressSpreadOf({ words }: Packet): number {
  return mix(mix(words[0]! ^ words[1]!) ^ words[2]! ^ Math.imul(words[3]!, 0x9e3779b1));
}

/** The finalizer of MurmurHash3: every bit bears on every other. */
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
