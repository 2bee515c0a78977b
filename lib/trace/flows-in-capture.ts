/** Which flows the packets of a capture may belong to, so that somebody can be asked about them. */
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Protocol as ProtocolName } from '../model/spec.ts';
import { formatAddress } from '../packet/address.ts';
import { isIcmpError } from '../packet/icmp.ts';
import { isIcmpv6Error } from '../packet/icmpv6.ts';
import { destinationAt, Outcome, Packet, Protocol, sourceAt } from '../packet/packet.ts';
import { parsePacket, parseQuoted } from '../packet/parse.ts';
import { type LinkLayer, linkLayer } from './link-layer.ts';
import type { CaptureFormat, Frame } from './pcap.ts';

const names: Readonly<Record<number, ProtocolName>> = { [Protocol.tcp]: 'tcp', [Protocol.udp]: 'udp' };

/** The five-tuples of all TCP and UDP packets, and of those that ICMP errors are about; each once. */
export class FlowsInCapture {
  readonly #link: LinkLayer;
  readonly #found = new Map<string, FlowTuple>();

  /** Throws ERR_SLUICE_UNKNOWN_LINK. */
  constructor({ linkType }: CaptureFormat) {
    this.#link = linkLayer(linkType);
  }

  add({ bytes }: Frame): void {
    const at = this.#link.packetAt(bytes);
    if (at < 0) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const packet = new Packet();
    if (parsePacket(packet, view, at, bytes.length) !== Outcome.ok) return;
    this.#note(packet, sourceAt, destinationAt, packet.sourcePort, packet.destinationPort);
    if (!isError(packet)) return;
    const quoted = new Packet();
    if (parseQuoted(quoted, view, packet.payload, packet.end) !== Outcome.ok) return;
    // It went the other way.
    this.#note(quoted, destinationAt, sourceAt, quoted.destinationPort, quoted.sourcePort);
  }

  get tuples(): readonly FlowTuple[] {
    return [...this.#found.values()];
  }

  #note(
    { protocol: number, words }: Packet,
    from: number,
    to: number,
    fromPort: number,
    toPort: number,
  ): void {
    const protocol = names[number];
    if (protocol === undefined || fromPort === 0) return;
    const tuple: FlowTuple = {
      protocol,
      clientAddress: formatAddress(words, from),
      clientPort: fromPort,
      vipAddress: formatAddress(words, to),
      vipPort: toPort,
    };
    this.#found.set(Object.values(tuple).join(' '), tuple);
  }
}

function isError({ protocol, version, icmpType }: Packet): boolean {
  if (protocol === Protocol.icmp && version === 4) return isIcmpError(icmpType);
  return protocol === Protocol.icmpv6 && version === 6 && isIcmpv6Error(icmpType);
}
