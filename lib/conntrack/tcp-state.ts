/**
 * What a TCP segment does to the state of its flow, and whether its sequence number can be meant seriously.
 *
 *     SYN ──▶ syn-sent ──SYN-ACK▶ syn-received ──ACK▶ established ──FIN of client──▶ client-closing ─┐FIN of
 *                                                          └───────FIN of backend──▶ backend-closing ┤the other
 *                                                                                                    ▼
 *     RST in any state: reset                                  time-wait ◀──anything but FIN── last-ack
 *
 * The balancer is no endpoint: it passes on what it cannot place, and leaves it to them to refuse it. States only
 * decide how long a flow lives and whether it may be replaced.
 */
import { TcpFlag } from '../packet/tcp.ts';
import { Direction } from './flow-key.ts';
import { FlowState } from './states.ts';

const controlFlags = TcpFlag.fin | TcpFlag.syn | TcpFlag.rst | TcpFlag.ack;

/** Whether these flags open a connection. */
export function isOpeningSyn(flags: number): boolean {
  return (flags & controlFlags) === TcpFlag.syn;
}

/** Whether no TCP would ever send these flags together: scans and fragments of attacks. */
export function areFlagsImpossible(flags: number): boolean {
  const { fin, syn, rst, ack } = TcpFlag;
  if ((flags & (syn | rst)) === (syn | rst) || (flags & (syn | fin)) === (syn | fin)) return true;
  if ((flags & (fin | rst)) === (fin | rst)) return true;
  return (flags & (syn | rst | ack)) === 0;
}

/**
 * Whether a segment that claims to end the connection stands where its receiver expects one (RFC 5961 §3.2, as
 * far as a bystander can tell): from the next byte expected up to the window. `scale` is 0–14.
 */
export function isPlausible(sequence: number, expected: number, window: number, scale: number): boolean {
  return (sequence - expected) >>> 0 <= (window << scale) >>> 0;
}

/**
 * The state after a segment in `direction`. `ending` tells that its FIN or RST is plausible; a client's answer to a
 * SYN-ACK comes here only if it acknowledges it.
 */
export function nextTcpState(state: number, direction: number, flags: number, ending: boolean): number {
  if ((flags & TcpFlag.rst) !== 0) return ending ? FlowState.reset : state;
  switch (state) {
    case FlowState.synSent:
      return direction === Direction.answer && (flags & controlFlags) === (TcpFlag.syn | TcpFlag.ack)
        ? FlowState.synReceived
        : state;
    case FlowState.synReceived:
      if (direction === Direction.answer || (flags & TcpFlag.syn) !== 0) return state;
      return (flags & TcpFlag.fin) === 0 ? FlowState.established : FlowState.clientClosing;
    case FlowState.lastAck:
      return (flags & TcpFlag.fin) === 0 ? FlowState.timeWait : state;
    default:
      return (flags & TcpFlag.fin) !== 0 && ending ? afterFin(state, direction) : state;
  }
}

function afterFin(state: number, direction: number): number {
  const byClient = direction === Direction.original;
  switch (state) {
    case FlowState.established:
      return byClient ? FlowState.clientClosing : FlowState.backendClosing;
    case FlowState.clientClosing:
      return byClient ? state : FlowState.lastAck;
    case FlowState.backendClosing:
      return byClient ? FlowState.lastAck : state;
    default:
      return state;
  }
}

/**
 * Whether a SYN of the client's ends this flow and starts another: whoever has sent a FIN, or has seen a RST, uses
 * its port again only because it is done. In any other state the backend is asked (RFC 5961 §4).
 */
export function isReplaceable(state: number): boolean {
  return (
    state === FlowState.clientClosing ||
    state === FlowState.lastAck ||
    state === FlowState.timeWait ||
    state === FlowState.reset ||
    state === FlowState.finSeen
  );
}
