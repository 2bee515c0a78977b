/**
 * Why a packet got the verdict it got: one table of names for counters, `trace` and tests. The number of a reason is
 * its position. It begins with the reasons for which a packet cannot be taken apart, so that those are one thing.
 */
import { parseOutcomes } from '../packet/packet.ts';
import { Verdict } from './batch.ts';

const afterParsing = [
  'forwarded',
  'not-ours',
  'echo-answered',
  'reset-sent',
  'held',
  'cut-off',
  'bad-source',
  'bad-flags',
  'no-checksum',
  'no-flow',
  'no-backend',
  'backend-down',
  'table-full',
  'half-open-full',
  'ports-exhausted',
  'key-taken',
  'hairpin-needs-snat',
  'fragment-overlap',
  'fragment-duplicate',
  'fragment-too-many',
  'fragment-late',
  'fragment-refused',
  'delivered',
  'unreachable-sent',
  'sent-apart',
  'marked',
  'too-big',
  'too-big-sent',
  'time-exceeded',
  'time-exceeded-sent',
  'error-sent',
  'outbox-full',
] as const;

export const reasonNames = [...parseOutcomes, ...afterParsing] as const;

export type ReasonName = (typeof reasonNames)[number];

const first = parseOutcomes.length;

export const Reason = {
  /** Rewritten and sent on. */
  forwarded: first,
  /** Nothing that a service is about: goes on as if nobody had looked. */
  notOurs: first + 1,
  echoAnswered: first + 2,
  /** Turned into a RST to its sender. */
  resetSent: first + 3,
  /** A fragment that waits for the first of its datagram. */
  held: first + 4,
  /** The kernel handed over less than the whole packet. */
  cutOff: first + 5,
  /** The source is no address that could be answered. */
  badSource: first + 6,
  badFlags: first + 7,
  /** UDP over IPv6 has to have a checksum (RFC 8200 §8.1). */
  noChecksum: first + 8,
  /** In the middle of a flow that is not known. */
  noFlow: first + 9,
  noBackend: first + 10,
  /** Of a flow whose backend is down. */
  backendDown: first + 11,
  tableFull: first + 12,
  halfOpenFull: first + 13,
  portsExhausted: first + 14,
  /** Without SNAT: the client's port already talks to this backend. */
  keyTaken: first + 15,
  /** Without SNAT a backend cannot be its own client. */
  hairpinNeedsSnat: first + 16,
  /** RFC 5722. */
  fragmentOverlap: first + 17,
  fragmentDuplicate: first + 18,
  /** Of one datagram, or waiting at the same time. */
  fragmentTooMany: first + 19,
  /** It waited, and the first fragment never came. */
  fragmentLate: first + 20,
  /** The first fragment of its datagram was dropped, or another overlapped. */
  fragmentRefused: first + 21,
  /** A super-packet, rewritten and given to this machine itself. */
  delivered: first + 22,
  /** Answered by an ICMP error: its port cannot be reached. */
  unreachableSent: first + 23,
  /** Sent on by a socket of our own, in one or more packets; the one that came is dropped. */
  sentApart: first + 24,
  /** Goes on as it came, with a mark by which it is routed. */
  marked: first + 25,
  /** Too big for the tunnel. */
  tooBig: first + 26,
  /** The same, and answered by an ICMP error that says what would have been small enough. */
  tooBigSent: first + 27,
  /** It has been on its way for too long. */
  timeExceeded: first + 28,
  timeExceededSent: first + 29,
  /** An ICMP error about a tunnel packet of ours, turned into one to the client about its own. */
  errorSent: first + 30,
  /** There are more packets to be sent apart than there is room for. */
  outboxFull: first + 31,
} as const;

/** The verdict that goes with each reason, by number; a reason that is not named here drops. */
export const verdictOfReason: Uint8Array = Uint8Array.from(reasonNames, (_, reason) => {
  switch (reason) {
    case Reason.forwarded:
    case Reason.delivered:
    case Reason.echoAnswered:
    case Reason.resetSent:
    case Reason.unreachableSent:
    case Reason.tooBigSent:
    case Reason.timeExceededSent:
    case Reason.errorSent:
      return Verdict.rewritten;
    case Reason.marked:
      return Verdict.marked;
    case Reason.notOurs:
      return Verdict.accept;
    case Reason.held:
      return Verdict.none;
    default:
      return Verdict.drop;
  }
});

/** Whether a packet that met a reason went nowhere, even if its sender was told. */
export function isLoss(reason: number): boolean {
  switch (reason) {
    case Reason.resetSent:
    case Reason.unreachableSent:
    case Reason.tooBigSent:
    case Reason.timeExceededSent:
      return true;
    default:
      return verdictOfReason[reason] === Verdict.drop && reason !== Reason.sentApart;
  }
}
