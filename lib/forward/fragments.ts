/**
 * Fragments on their way through the balancer: the first of a datagram is decided like any packet, the later ones
 * like the first. Those that overtake it wait, in the kernel's queue and in `HeldPackets`, until it comes or
 * their time is over; then their verdicts are sent apart, by `release`.
 *
 *   first ──────────────▶ decided ──▶ remembered ──▶ those that waited: settled
 *   later ─▶ remembered? ──yes──▶ treated likewise
 *                └─no─▶ held ──▶ the first comes · too late · an overlap · no room
 */
import { FragmentDecision, FragmentFit, type FragmentTable, keptWords } from '../conntrack/fragment-table.ts';
import type { HeldPackets } from '../conntrack/held-packets.ts';
import { Outcome, Packet } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { type PacketBatch, Verdict } from './batch.ts';
import type { Counters } from './counters.ts';
import type { Decision } from './decision.ts';
import { Reason, verdictOfReason } from './reasons.ts';

export class FragmentPath {
  readonly #table: FragmentTable;
  readonly #held: HeldPackets;
  readonly #lifeMs: number;
  readonly #counters: Counters;
  readonly #scratch = new Packet();
  /** Of the datagram at hand. */
  readonly #kept = new Int32Array(keptWords);
  #entry = 0;

  /** A held fragment waits for `lifeMs` at most. */
  constructor(table: FragmentTable, held: HeldPackets, lifeMs: number, counters: Counters) {
    this.#table = table;
    this.#held = held;
    this.#lifeMs = lifeMs;
    this.#counters = counters;
  }

  /** Drops what has waited for too long. */
  advance(nowMs: number): void {
    if (this.#held.waiting === 0) return;
    for (;;) {
      const place = this.#held.findOverdue(nowMs, this.#lifeMs);
      if (place < 0) return;
      this.#settle(place, Reason.fragmentLate, 0);
    }
  }

  /** Enters a fragment, first or later, into its datagram. Answers with a `Reason` to drop it, or 0 (`ok`). */
  enter(packet: Packet, nowMs: number): number {
    this.#entry = this.#table.find(packet, nowMs);
    if (this.#entry < 0) {
      this.#entry = this.#table.victim(packet);
      this.#settleAll(this.#entry, Reason.fragmentTooMany);
      this.#table.open(this.#entry, packet, nowMs);
    }
    const fit = this.#table.add(this.#entry, packet);
    if (fit === FragmentFit.fresh) {
      return this.#table.decisionOf(this.#entry) === FragmentDecision.drop ? Reason.fragmentRefused : 0;
    }
    if (fit === FragmentFit.duplicate) return Reason.fragmentDuplicate;
    const reason = fit === FragmentFit.overlap ? Reason.fragmentOverlap : Reason.fragmentTooMany;
    this.#table.decide(this.#entry, FragmentDecision.drop, this.#kept);
    this.#settleAll(this.#entry, reason);
    return reason;
  }

  /** What to do with a later fragment that has just been entered; rewrites or holds it. */
  later(decision: Decision<unknown>, view: DataView, packet: Packet, id: number, nowMs: number): number {
    if (this.#table.decisionOf(this.#entry) !== FragmentDecision.unknown) {
      return this.#repeat(decision, view, packet, nowMs);
    }
    const { start, end } = packet;
    return this.#held.hold(this.#entry, id, view, start, end - start, nowMs)
      ? Reason.held
      : Reason.fragmentTooMany;
  }

  /**
   * Remembers what `decision` has just made, for this `reason`, of the first fragment that was entered last, and has it
   * do the same to those that wait.
   */
  decide(decision: Decision<unknown>, reason: number, nowMs: number): void {
    const known = decisionOf(reason);
    if (known === FragmentDecision.repeat) decision.remember(this.#kept);
    this.#table.decide(this.#entry, known, this.#kept);
    const scratch = this.#scratch;
    for (let place = this.#held.find(this.#entry); place >= 0; place = this.#held.find(this.#entry)) {
      const at = this.#held.offsetOf(place);
      const outcome = parsePacket(scratch, this.#held.view, at, at + this.#held.lengthOf(place));
      const fate = outcome === Outcome.ok ? this.#repeat(decision, this.#held.view, scratch, nowMs) : outcome;
      if (verdictOfReason[fate] === Verdict.rewritten)
        this.#held.move(place, decision.start, decision.length);
      this.#settle(place, fate, decision.mark);
    }
  }

  /**
   * Puts settled fragments into the batch in place of what was there. Answers with how many; the verdicts over them
   * are to be sent and `release` called again until that is 0.
   */
  release(batch: PacketBatch, view: DataView): number {
    let count = 0;
    let offset = 0;
    while (count < batch.id.length) {
      const place = this.#held.takeReady(view, offset, batch.bytes.length - offset);
      if (place < 0) break;
      batch.id[count] = this.#held.idOf(place);
      batch.mark[count] = this.#held.markOf(place);
      batch.offset[count] = offset;
      batch.length[count] = this.#held.lengthOf(place);
      batch.verdict[count] = this.#held.verdictOf(place);
      // Every packet on a boundary of four bytes, with as many to spare behind it, as netlink pads.
      offset += (this.#held.lengthOf(place) + 7) & ~3;
      count++;
    }
    return count;
  }

  /** Does to a later fragment what was decided over its datagram. */
  #repeat(decision: Decision<unknown>, view: DataView, packet: Packet, nowMs: number): number {
    const known = this.#table.decisionOf(this.#entry);
    if (known === FragmentDecision.drop) return Reason.fragmentRefused;
    if (known === FragmentDecision.accept) return Reason.notOurs;
    return decision.repeat(view, packet, this.#table.kept, this.#entry * keptWords, nowMs);
  }

  #settleAll(entry: number, reason: number): void {
    for (let place = this.#held.find(entry); place >= 0; place = this.#held.find(entry)) {
      this.#settle(place, reason, 0);
    }
  }

  #settle(place: number, reason: number, mark: number): void {
    this.#held.settle(place, verdictOfReason[reason]!, mark);
    this.#counters.decided(0, reason);
  }
}

/** What is done with later fragments when the first one met `reason`. */
function decisionOf(reason: number): number {
  switch (reason) {
    case Reason.forwarded:
    case Reason.sentApart:
    case Reason.marked:
    case Reason.echoAnswered:
      return FragmentDecision.repeat;
    case Reason.notOurs:
      return FragmentDecision.accept;
    default:
      return FragmentDecision.drop;
  }
}
