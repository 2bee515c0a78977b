/** What no mode lets in: packets that no honest sender makes, or that nobody could be answered for. */
import { areFlagsImpossible } from '../conntrack/tcp-state.ts';
import { type Packet, Protocol, sourceAt } from '../packet/packet.ts';
import { Udp } from '../packet/udp.ts';
import { PacketFlag } from './batch.ts';
import { Reason } from './reasons.ts';

/** A reason to refuse a TCP or UDP packet for itself alone; 0 if there is none. `flags` are the kernel's. */
export function refuseTransport(view: DataView, packet: Packet, flags: number): number {
  if (packet.protocol === Protocol.tcp) return areFlagsImpossible(packet.tcpFlags) ? Reason.badFlags : 0;
  if (packet.version === 4 || (flags & PacketFlag.checksumNotReady) !== 0) return 0;
  return view.getUint16(packet.transport + Udp.checksum) === 0 ? Reason.noChecksum : 0;
}

/** Whether the source is a unicast address: only such may begin a flow or be answered. */
export function isAnswerable(packet: Packet): boolean {
  const words = packet.words;
  if (packet.version === 4) {
    const network = words[sourceAt + 3]! >>> 24;
    return network !== 0 && network < 224;
  }
  if (words[sourceAt]! >>> 24 === 0xff) return false;
  return (words[0]! | words[1]! | words[2]! | words[3]!) !== 0;
}
