/** The least that can be called NAT, to see rewritten packets live: whole TCP packets, no options, nothing forgotten. */
import { isIPv4 } from 'node:net';
import { addressBytes } from '../../../packet/craft.ts';

export interface TinyNatOptions {
  readonly vip: string;
  readonly backend: string;
  readonly backendPort: number;
  readonly snat: string;
  readonly snatPort: number;
}

/** Rewrites a packet in place. Its client's address and port take the SNAT port, one client at a time. */
export function tinyNat(options: TinyNatOptions): (packet: Uint8Array) => void {
  const [vip, backend, snat] = [options.vip, options.backend, options.snat].map((address) =>
    Buffer.from(addressBytes(address)),
  ) as [Buffer, Buffer, Buffer];
  const ipv4 = isIPv4(options.vip);
  const [sourceAt, destinationAt, portsAt] = ipv4 ? [12, 16, 20] : [8, 24, 40];
  const client = { address: Buffer.alloc(vip.length), port: 0, vipPort: 0 };
  return (bytes) => {
    const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const destination = packet.subarray(destinationAt, destinationAt + vip.length);
    if (destination.equals(vip)) {
      packet.copy(client.address, 0, sourceAt);
      client.port = packet.readUInt16BE(portsAt);
      client.vipPort = packet.readUInt16BE(portsAt + 2);
      snat.copy(packet, sourceAt);
      backend.copy(packet, destinationAt);
      packet.writeUInt16BE(options.snatPort, portsAt);
      packet.writeUInt16BE(options.backendPort, portsAt + 2);
    } else if (destination.equals(snat)) {
      vip.copy(packet, sourceAt);
      client.address.copy(packet, destinationAt);
      packet.writeUInt16BE(client.vipPort, portsAt);
      packet.writeUInt16BE(client.port, portsAt + 2);
    }
    if (ipv4) writeHeaderChecksum(packet);
  };
}

function writeHeaderChecksum(packet: Buffer): void {
  packet.writeUInt16BE(0, 10);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += packet.readUInt16BE(at);
  sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, 10);
}
