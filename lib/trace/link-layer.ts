/**
 * The IP packet inside a captured frame, and another one put in its place.
 *
 *   Ethernet        ├ to 6 ┼ from 6 ┼ 802.1Q tags, 4 each … ┼ EtherType 2 ┼ packet
 *   Linux cooked    ├ kind 2 ┼ device 2 ┼ length 2 ┼ address 8 ┼ EtherType 2 ┼ packet
 *   Linux cooked 2  ├ EtherType 2 ┼ 0 2 ┼ interface 4 ┼ device 2 ┼ kind 1 ┼ length 1 ┼ address 8 ┼ packet
 *   raw             ├ packet
 */
import { SluiceError } from '../model/errors.ts';

/** LINKTYPE_ values, as tcpdump.org lists them. */
export const LinkType = { ethernet: 1, raw: 101, cooked: 113, ipv4: 228, ipv6: 229, cooked2: 276 } as const;

const etherTypes: Readonly<Record<number, number>> = { 4: 0x0800, 6: 0x86dd };
const vlanTags = [0x8100, 0x88a8];

/** Finds the packet in frames of one link type. */
export interface LinkLayer {
  /** Where the IP packet begins; -1 if the frame carries something else. */
  packetAt(frame: Uint8Array): number;
  /** The frame with another packet in place of the one that begins at `at`. */
  replace(frame: Uint8Array, at: number, packet: Uint8Array): Uint8Array;
}

/** Throws ERR_SLUICE_UNKNOWN_LINK. */
export function linkLayer(linkType: number): LinkLayer {
  switch (linkType) {
    case LinkType.ethernet:
      return framed(etherTypeInEthernet, (at) => at + 2);
    case LinkType.cooked:
      return framed(
        () => 14,
        (at) => at + 2,
      );
    case LinkType.cooked2:
      return framed(
        () => 0,
        () => 20,
      );
    case LinkType.raw:
    case LinkType.ipv4:
    case LinkType.ipv6:
      return { packetAt: (frame) => (frame.length > 0 ? 0 : -1), replace: (_frame, _at, packet) => packet };
    default:
      throw new SluiceError(
        'ERR_SLUICE_UNKNOWN_LINK',
        `frames of link type ${linkType} cannot be taken apart`,
        { remedy: 'capture on Ethernet, on any (-i any), or raw IP' },
      );
  }
}

/** A layer whose header names what it carries: `etherTypeAt` finds the name, and `payloadAt` what is behind. */
function framed(
  etherTypeAt: (frame: Uint8Array) => number,
  payloadAt: (etherType: number) => number,
): LinkLayer {
  return {
    packetAt(frame) {
      const at = etherTypeAt(frame);
      const start = payloadAt(at);
      if (start >= frame.length) return -1;
      return Object.values(etherTypes).includes(readWord(frame, at)) ? start : -1;
    },
    replace(frame, at, packet) {
      const replaced = new Uint8Array(at + packet.length);
      replaced.set(frame.subarray(0, at));
      replaced.set(packet, at);
      // A tunnel's outer header may be of the other family.
      const etherType = etherTypes[packet[0]! >> 4]!;
      const name = etherTypeAt(frame);
      replaced[name] = etherType >> 8;
      replaced[name + 1] = etherType & 0xff;
      return replaced;
    },
  };
}

function etherTypeInEthernet(frame: Uint8Array): number {
  let at = 12;
  while (vlanTags.includes(readWord(frame, at))) at += 4;
  return at;
}

/** 0 where the frame has ended. */
function readWord(frame: Uint8Array, at: number): number {
  return ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
}
