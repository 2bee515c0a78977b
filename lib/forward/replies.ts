/**
 * What a packet is turned into so that its sender knows that it goes no further: a RST in its place, or an ICMP error
 * around it. Nobody is told of a later fragment, of an ICMP error, or in answer to an address that is not one host's
 * (RFC 1122 §3.2.2, RFC 4443 §2.4).
 */
import { TokenBuckets } from '../conntrack/token-buckets.ts';
import { IcmpCode, IcmpType } from '../packet/icmp.ts';
import { IcmpKind, icmpKindOf } from '../packet/icmp-kind.ts';
import { Icmpv6Code, Icmpv6Type } from '../packet/icmpv6.ts';
import { Fragment, type Packet, Protocol } from '../packet/packet.ts';
import { isAnswerable } from './admission.ts';
import { PacketFlag } from './batch.ts';
import { icmpErrorLength, writeIcmpError } from './icmp-answer.ts';
import { Reason } from './reasons.ts';
import { Reset } from './reset.ts';
import { addressSpreadOf } from './spread.ts';

/**
 * The bound on ICMP errors of our own that RFC 4443 §2.4 (f) wants, for each worker: about Linux's 1000 a second. Clients
 * are spread over buckets, so that one of them cannot use up what another's path MTU discovery waits for.
 */
const buckets = 64;
const errorsPerSecond = 16;
const errorBurst = 8;

/** The fields tell of the reply that was written last. */
export class Replies {
  start = 0;
  length = 0;
  readonly #reset = new Reset();
  readonly #errors = new TokenBuckets(buckets, errorsPerSecond, errorBurst);

  /** Tells a client that no backend takes what it sends. Answers with the reason, `noBackend` if it could not. */
  refuse(view: DataView, packet: Packet, flags: number, nowMs: number): number {
    if (packet.protocol === Protocol.tcp) {
      return this.reset(view, packet, flags) ? Reason.resetSent : Reason.noBackend;
    }
    if ((flags & PacketFlag.gso) !== 0) return Reason.noBackend;
    return this.portUnreachable(view, packet, nowMs) ? Reason.unreachableSent : Reason.noBackend;
  }

  /** Overwrites a segment by a RST to its sender. Not a super-packet: the kernel would still try to cut it up. */
  reset(view: DataView, packet: Packet, flags: number): boolean {
    if ((flags & PacketFlag.gso) !== 0) return false;
    this.#reset.answer(packet);
    this.start = packet.start;
    this.length = this.#reset.write(view, packet.start);
    return true;
  }

  portUnreachable(view: DataView, packet: Packet, nowMs: number): boolean {
    return packet.version === 4
      ? this.#error(view, packet, IcmpType.unreachable, IcmpCode.portUnreachable, 0, nowMs)
      : this.#error(view, packet, Icmpv6Type.unreachable, Icmpv6Code.portUnreachable, 0, nowMs);
  }

  /** Nothing leads to whom it is for. */
  hostUnreachable(view: DataView, packet: Packet, nowMs: number): boolean {
    return packet.version === 4
      ? this.#error(view, packet, IcmpType.unreachable, IcmpCode.hostUnreachable, 0, nowMs)
      : this.#error(view, packet, Icmpv6Type.unreachable, Icmpv6Code.addressUnreachable, 0, nowMs);
  }

  /** Packets of `mtu` bytes would have gone on. */
  tooBig(view: DataView, packet: Packet, mtu: number, nowMs: number): boolean {
    return packet.version === 4
      ? this.#error(view, packet, IcmpType.unreachable, IcmpCode.fragmentationNeeded, mtu, nowMs)
      : this.#error(view, packet, Icmpv6Type.packetTooBig, 0, mtu, nowMs);
  }

  timeExceeded(view: DataView, packet: Packet, nowMs: number): boolean {
    const type = packet.version === 4 ? IcmpType.timeExceeded : Icmpv6Type.timeExceeded;
    return this.#error(view, packet, type, 0, 0, nowMs);
  }

  #error(view: DataView, packet: Packet, type: number, code: number, rest: number, nowMs: number): boolean {
    if (packet.fragment === Fragment.later || !isAnswerable(packet)) return false;
    if (icmpKindOf(packet) === IcmpKind.error) return false;
    if (!this.#errors.take(addressSpreadOf(packet) & (buckets - 1), nowMs)) return false;
    this.length = icmpErrorLength(packet);
    this.start = writeIcmpError(view, packet, type, code, rest);
    return true;
  }
}
