/**
 * Where both ends of a TCP flow are in sequence space, as far as their acknowledgements tell: enough to judge
 * whether a FIN or RST can be genuine.
 *
 *        acknowledged by the other side      its window
 *   ───────────────────────────────────▶├──────────────────▶┤
 *                                     next             next + window << scale
 *
 * The last word of each side stands, even if it goes backwards: a forged one is mended by the next true one.
 */
import type { Packet } from '../packet/packet.ts';
import { noWindowScale, TcpFlag, windowScaleOf } from '../packet/tcp.ts';
import { Direction } from './flow-key.ts';
import { Byte, byteShift, type FlowRows, Half, halfShift, Word, wordShift } from './flow-rows.ts';
import { FlowState } from './states.ts';
import { isOpeningSyn, isPlausible, nextTcpState } from './tcp-state.ts';

/** The furthest that data in a SYN may bring an acknowledgement beyond it. */
const largestSynData = 65_535;

/** Takes note of the SYN that opens a flow. */
export function beginTcp(rows: FlowRows, flow: number, packet: Packet, view: DataView): void {
  const word = flow << wordShift;
  const half = flow << halfShift;
  rows.words[word + Word.clientNext] = (packet.sequence + 1) | 0;
  rows.words[word + Word.backendNext] = 0;
  rows.halves[half + Half.clientWindow] = packet.window;
  rows.halves[half + Half.backendWindow] = 0;
  rows.bytes[(flow << byteShift) + Byte.scales] = windowScaleOf(packet, view) | (noWindowScale << 4);
}

/** Takes note of a segment of a flow in `state`; answers with the state after it. */
export function followTcp(
  rows: FlowRows,
  flow: number,
  state: number,
  direction: number,
  packet: Packet,
  view: DataView,
): number {
  const flags = packet.tcpFlags;
  const { fin, syn, rst, ack } = TcpFlag;
  let ending = false;
  if ((flags & (fin | rst)) !== 0) {
    ending =
      state === FlowState.synSent && direction === Direction.answer
        ? refusesSyn(rows, flow, packet)
        : isExpected(rows, flow, direction, packet.sequence);
  }
  if ((flags & rst) === 0) {
    if (state === FlowState.synReceived && direction === Direction.original) {
      // Only who saw the SYN-ACK can acknowledge it: before that nobody is believed to be there.
      if (!provesHandshake(rows, flow, packet)) return state;
    }
    if ((flags & syn) !== 0) followSyn(rows, flow, state, direction, packet, view);
    if ((flags & ack) !== 0) {
      // What one side acknowledges is what it expects next of the other.
      const other = direction === Direction.original ? Word.backendNext : Word.clientNext;
      rows.words[(flow << wordShift) + other] = packet.acknowledgement;
      rows.halves[(flow << halfShift) + Half.clientWindow + direction] = packet.window;
    }
    if (state === FlowState.established && (flags & fin) === 0) return state;
  }
  return nextTcpState(state, direction, flags, ending);
}

function provesHandshake(rows: FlowRows, flow: number, packet: Packet): boolean {
  const expected = rows.words[(flow << wordShift) + Word.backendNext]!;
  const window = rows.halves[(flow << halfShift) + Half.clientWindow]!;
  return (packet.tcpFlags & TcpFlag.ack) !== 0 && isPlausible(packet.acknowledgement, expected, window, 0);
}

/** A RST that answers a SYN has no sequence number to judge by: it has to acknowledge the SYN (RFC 9293 §3.10.7.3). */
function refusesSyn(rows: FlowRows, flow: number, packet: Packet): boolean {
  const expected = rows.words[(flow << wordShift) + Word.clientNext]!;
  return (
    (packet.tcpFlags & TcpFlag.ack) !== 0 && isPlausible(packet.acknowledgement, expected, largestSynData, 0)
  );
}

function isExpected(rows: FlowRows, flow: number, direction: number, sequence: number): boolean {
  const expected = rows.words[(flow << wordShift) + Word.clientNext + direction]!;
  const receiver = 1 - direction;
  const window = rows.halves[(flow << halfShift) + Half.clientWindow + receiver]!;
  const scales = rows.bytes[(flow << byteShift) + Byte.scales]!;
  const clientScale = scales & 15;
  const backendScale = scales >> 4;
  // Scaling is in force only if both have offered it (RFC 7323 §2.2).
  const scaled = clientScale !== noWindowScale && backendScale !== noWindowScale;
  const scale = receiver === Direction.original ? clientScale : backendScale;
  return isPlausible(sequence, expected, window, scaled ? scale : 0);
}

function followSyn(
  rows: FlowRows,
  flow: number,
  state: number,
  direction: number,
  packet: Packet,
  view: DataView,
): void {
  const word = flow << wordShift;
  if (direction === Direction.original) {
    // The client begins anew before anyone has answered.
    if (state === FlowState.synSent && isOpeningSyn(packet.tcpFlags)) beginTcp(rows, flow, packet, view);
    return;
  }
  if (state !== FlowState.synSent && state !== FlowState.synReceived) return;
  const scales = (flow << byteShift) + Byte.scales;
  rows.words[word + Word.backendNext] = (packet.sequence + 1) | 0;
  rows.bytes[scales] = (rows.bytes[scales]! & 15) | (windowScaleOf(packet, view) << 4);
}
