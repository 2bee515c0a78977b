/**
 * A capture run through packet paths, frame by frame: each packet comes to the worker that the rules bring it to, at the
 * time at which it was captured, and what the worker makes of it takes its place in the frame.
 *
 *   frame ─▶ link layer ─▶ packet ─▶ rule ─▶ rig of its worker ─▶ packet ─▶ frame
 *                             └─ no rule: as it came
 */
import { selectorOf, workerOf } from '../datapath/kernel/selection.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import { Verdict } from '../forward/batch.ts';
import type { TraceVerdict } from '../model/trace.ts';
import { Packet, Protocol } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { type LinkLayer, linkLayer } from './link-layer.ts';
import { describePacket } from './packet-text.ts';
import type { CaptureFormat, Frame } from './pcap.ts';
import { type Outcome, Rig } from './rig.ts';
import { packetsAfter, verdictOf } from './verdict.ts';

/** What became of one packet of a capture. */
export interface CapturedPacket {
  /** From 1, in the order of the file. */
  readonly number: number;
  /** Since the first. */
  readonly timeMs: number;
  /** `tcp`, `udp`, `icmp`, or the protocol's number; null for what is no IP packet. */
  readonly protocol: string | null;
  readonly source: string;
  readonly destination: string;
  readonly verdict: TraceVerdict;
  readonly reason: string;
  /** The ends of what goes on in its place. */
  readonly after: { readonly source: string; readonly destination: string } | null;
}

/** What became of a frame, and the frames that are sent in place of it: none, if it is dropped. */
export interface Settled {
  readonly told: CapturedPacket;
  readonly original: Frame;
  readonly frames: readonly Uint8Array[];
}

/** Flows that a capture may open at each worker. */
const room = 32_768;

const protocolNames: Readonly<Record<number, string>> = {
  [Protocol.tcp]: 'tcp',
  [Protocol.udp]: 'udp',
  [Protocol.icmp]: 'icmp',
  [Protocol.icmpv6]: 'icmp',
};

interface Waiting {
  readonly frame: Frame;
  readonly at: number;
  readonly told: Omit<CapturedPacket, 'verdict' | 'reason' | 'after'>;
}

export class CaptureRun {
  readonly #snapshots: readonly PathSnapshot[];
  readonly #link: LinkLayer;
  readonly #rigs = new Map<PathSnapshot, Map<number, Rig>>();
  /** Fragments that wait for others, by number. */
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;
  #firstMs: number | undefined;
  #elapsedMs = 0;

  /** Of the paths of one instance. Throws ERR_SLUICE_UNKNOWN_LINK. */
  constructor(snapshots: readonly PathSnapshot[], { linkType }: CaptureFormat) {
    this.#snapshots = snapshots;
    this.#link = linkLayer(linkType);
  }

  /** Answers with what is settled by this frame: itself, unless it waits, and those that have waited for it. */
  send(frame: Frame): readonly Settled[] {
    this.#number++;
    this.#firstMs ??= frame.timeMs;
    // Captures of several devices go back in time now and then.
    this.#elapsedMs = Math.max(this.#elapsedMs, frame.timeMs - this.#firstMs);
    const at = this.#link.packetAt(frame.bytes);
    const bytes = at < 0 ? new Uint8Array(0) : frame.bytes.slice(at);
    const { source, destination } = describePacket(bytes);
    const { packet, view } = parse(bytes);
    const told = {
      number: this.#number,
      timeMs: frame.timeMs - this.#firstMs,
      protocol: at < 0 ? null : (protocolNames[packet.protocol] ?? String(packet.protocol)),
      source,
      destination,
    };
    const met = at < 0 ? undefined : this.#rigFor(packet, view);
    if (met === undefined) {
      const passed: CapturedPacket = { ...told, verdict: 'accept', reason: 'not-ours', after: null };
      return [{ told: passed, original: frame, frames: [frame.bytes] }];
    }
    this.#waiting.set(this.#number, { frame, at, told });
    const cutOff = frame.bytes.length < frame.wireLength;
    const outcomes = met.rig.send(this.#number, bytes, met.nowMs + this.#elapsedMs, cutOff);
    return outcomes.flatMap((outcome) => this.#settle(outcome));
  }

  /** Those that still wait when the capture is over. */
  end(): readonly Settled[] {
    const left = Array.from(this.#waiting.values(), ({ frame, told }): Settled => {
      const held: CapturedPacket = { ...told, verdict: 'hold', reason: 'held', after: null };
      return { told: held, original: frame, frames: [] };
    });
    this.#waiting.clear();
    return left;
  }

  #rigFor(packet: Packet, view: DataView): { readonly rig: Rig; readonly nowMs: number } | undefined {
    for (const snapshot of this.#snapshots) {
      const selector = selectorOf(snapshot.rules.selectors, packet, view);
      if (selector === undefined) continue;
      const worker = workerOf(selector, snapshot.rules, snapshot.tool, packet, view) ?? 0;
      return { rig: this.#rig(snapshot, worker), nowMs: snapshot.nowMs };
    }
    return undefined;
  }

  #rig(snapshot: PathSnapshot, worker: number): Rig {
    const rigs = this.#rigs.get(snapshot) ?? new Map<number, Rig>();
    this.#rigs.set(snapshot, rigs);
    const rig = rigs.get(worker) ?? new Rig({ snapshot, worker, room, random: () => 0 });
    rigs.set(worker, rig);
    return rig;
  }

  #settle(outcome: Outcome): Settled[] {
    if (outcome.verdict === Verdict.none) return [];
    const { frame, at, told } = this.#waiting.get(outcome.id)!;
    this.#waiting.delete(outcome.id);
    const verdict = verdictOf(outcome);
    const packets = packetsAfter(outcome);
    const after = verdict === 'rewritten' ? describePacket(packets[0]!) : null;
    const packet: CapturedPacket = {
      ...told,
      verdict,
      reason: outcome.reason ?? 'held',
      after: after === null ? null : { source: after.source, destination: after.destination },
    };
    const frames =
      after === null
        ? packets.map(() => frame.bytes)
        : packets.map((bytes) => this.#link.replace(frame.bytes, at, bytes));
    return [{ told: packet, original: frame, frames }];
  }
}

function parse(bytes: Uint8Array) {
  const packet = new Packet();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  parsePacket(packet, view, 0, bytes.length);
  return { packet, view };
}
