/**
 * What a client's TCP segment does to the state of its flow where the backend's answers are never seen (direct server
 * return). Nothing waits for an answer, and no sequence number can be judged; so states decide how long a flow
 * is remembered and whether it may be replaced or make way, never whether it goes on.
 *
 *      SYN ──▶ syn-sent ──┐
 *                         ├─ anything but SYN ──▶ established ──FIN──▶ fin-seen
 *   no SYN ──▶ picked-up ─┘                                RST in any state: reset
 *                  ▲──────────────── anything but RST ───────────────────┘
 */
import { TcpFlag } from '../packet/tcp.ts';
import { FlowState } from './states.ts';
import { isOpeningSyn } from './tcp-state.ts';

/** The state of a flow whose first segment, as far as anybody remembers, had these flags. */
export function firstPartialState(flags: number): number {
  return isOpeningSyn(flags) ? FlowState.synSent : FlowState.pickedUp;
}

/** The state after a segment of the client's. */
export function nextPartialState(state: number, flags: number): number {
  if ((flags & TcpFlag.rst) !== 0) return FlowState.reset;
  if ((flags & TcpFlag.fin) !== 0) return FlowState.finSeen;
  switch (state) {
    case FlowState.synSent:
    case FlowState.pickedUp:
      return (flags & TcpFlag.syn) === 0 ? FlowState.established : state;
    case FlowState.reset:
      return FlowState.pickedUp;
    default:
      return state;
  }
}
