/**
 * What the rules do with one packet, worked out here: which of them selects it, and to which worker it comes. The
 * same selectors that the tools' languages are made from, and the hashes that the kernel spreads clients by.
 */
import { contains, parseNetwork } from '../../model/network.ts';
import { isIcmpError } from '../../packet/icmp.ts';
import { isIcmpv6Error } from '../../packet/icmpv6.ts';
import { destinationAt, Fragment, Outcome, Packet, Protocol, sourceAt } from '../../packet/packet.ts';
import { parseQuoted } from '../../packet/parse.ts';
import type { PortRange, RulesDescription } from './description.ts';
import { jhash, jhash3, scaleHash } from './jhash.ts';
import type { RuleToolName } from './rule-tool.ts';
import type { ErrorSelector, PortSelector, Selector } from './selectors.ts';

const echoRequest: Readonly<Record<number, number>> = { 4: 8, 6: 128 };

/** The first selector that takes a packet, as the rules ask in that order; undefined if it passes by. */
export function selectorOf(
  selectors: readonly Selector[],
  packet: Packet,
  view: DataView,
): Selector | undefined {
  const quoted = quotedIn(packet, view);
  return selectors.find((selector) => selector.family === packet.version && takes(selector, packet, quoted));
}

function takes(selector: Selector, packet: Packet, quoted: Packet | undefined): boolean {
  const { words, protocol, fragment } = packet;
  switch (selector.kind) {
    case 'ports':
      return (
        fragment !== Fragment.later &&
        protocol === Protocol[selector.protocol] &&
        isEnd(selector, packet, selector.end)
      );
    case 'echo':
      return (
        isIcmp(packet) &&
        packet.icmpType === echoRequest[packet.version] &&
        isIn(words, destinationAt, selector.address)
      );
    case 'error':
      return (
        quoted !== undefined &&
        quoted.protocol === Protocol[selector.protocol] &&
        (selector.quotedEnd === 'destination' || isIn(words, destinationAt, selector.address)) &&
        isEnd(selector, quoted, selector.quotedEnd)
      );
    case 'tunnel-error':
      return quoted?.protocol === selector.protocol && isIn(words, destinationAt, selector.address);
    case 'fragments':
      return (
        fragment !== Fragment.none &&
        protocol === protocolOf(selector.protocol, packet.version) &&
        isIn(words, selector.end === 'source' ? sourceAt : destinationAt, selector.address)
      );
  }
}

/** The packet that an ICMP error is about. */
function quotedIn(packet: Packet, view: DataView): Packet | undefined {
  if (!isIcmp(packet)) return undefined;
  const { icmpType, version } = packet;
  if (!(version === 4 ? isIcmpError(icmpType) : isIcmpv6Error(icmpType))) return undefined;
  const quoted = new Packet();
  return parseQuoted(quoted, view, packet.payload, packet.end) === Outcome.ok ? quoted : undefined;
}

function isIcmp({ version, protocol, fragment }: Packet): boolean {
  return fragment !== Fragment.later && protocol === protocolOf('icmp', version);
}

function protocolOf(name: 'icmp' | 'tcp' | 'udp', version: number): number {
  return name === 'icmp' && version === 6 ? Protocol.icmpv6 : Protocol[name];
}

/** Whether an end of a packet is the address and among the ports of a selector; of an error's source only the ports. */
function isEnd(
  selector: PortSelector | ErrorSelector,
  packet: Packet,
  end: 'source' | 'destination',
): boolean {
  const { ports, address } = selector;
  const port = end === 'source' ? packet.sourcePort : packet.destinationPort;
  if (!isWithin(port, ports)) return false;
  if (selector.kind === 'error' && end === 'source') return true;
  return isIn(packet.words, end === 'source' ? sourceAt : destinationAt, address);
}

function isWithin(port: number, [first, last]: PortRange): boolean {
  return port >= first && port <= last;
}

/** Of an address, or a network, whether the one in `words` is it. */
function isIn(words: Int32Array, at: number, network: string): boolean {
  const bytes = new DataView(new ArrayBuffer(16));
  for (let index = 0; index < 4; index++) bytes.setInt32(index * 4, words[at + index]!);
  return contains(parseNetwork(network)!, new Uint8Array(bytes.buffer), 0);
}

/**
 * The worker that a packet comes to which `selector` takes. Undefined where the kernel decides by a secret that nobody
 * knows: there are several workers, and no rules.
 */
export function workerOf(
  selector: Selector,
  { workers, spreadSeed }: Pick<RulesDescription, 'workers' | 'spreadSeed'>,
  tool: RuleToolName | undefined,
  packet: Packet,
  view: DataView,
): number | undefined {
  if (typeof selector.steer === 'number') return selector.steer;
  if (tool === undefined) return undefined;
  const told = selector.kind === 'error' ? quotedIn(packet, view)! : packet;
  const [at, port] =
    selector.steer === 'source-client' ? [sourceAt, told.sourcePort] : [destinationAt, told.destinationPort];
  const hash = tool === 'nft' ? nftHash : markHash;
  return scaleHash(hash(told, at, port, spreadSeed), workers);
}

/** `jhash ip saddr . th sport`: the address, then the port in four bytes, in network order. */
function nftHash({ words, version }: Packet, at: number, port: number, seed: number): number {
  const length = version === 4 ? 4 : 16;
  const bytes = new Uint8Array(length + 4);
  const view = new DataView(bytes.buffer);
  for (let offset = 0; offset < length; offset += 4) {
    view.setInt32(offset, words[at + 4 - length / 4 + offset / 4]!);
  }
  view.setUint16(length, port);
  return jhash(bytes, seed);
}

/** HMARK: nothing in place of the other address, this one folded into a word, the port above nothing (xt_HMARK.c). */
function markHash({ words, version }: Packet, at: number, port: number, seed: number): number {
  const folded = words[at]! ^ words[at + 1]! ^ words[at + 2]! ^ words[at + 3]!;
  return jhash3(0, version === 4 ? words[at + 3]! : folded, port << 16, seed);
}
