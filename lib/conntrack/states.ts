/**
 * The states of a flow and how long it may be silent in each.
 *
 * States fall into three classes, and each class has its own timer wheel, quota and fate under pressure:
 *   half-open  nobody has proven to be there: bounded by a quota, the oldest makes way for a newcomer
 *   live       both ends have spoken: never evicted, leaves only by its own timeout
 *   closing    over, kept to carry stragglers: makes way whenever room or a port is needed
 */

/** Names of the states, by number; 0 marks a free row. */
export const flowStateNames = [
  'free',
  'syn-sent',
  'syn-received',
  'udp-new',
  'established',
  'client-closing',
  'backend-closing',
  'udp-stream',
  'last-ack',
  'time-wait',
  'reset',
  'picked-up',
  'fin-seen',
] as const;

export type FlowStateName = (typeof flowStateNames)[number];

/** The same list as named numbers. */
export const FlowState = {
  free: 0,
  /** The client's SYN was passed on. */
  synSent: 1,
  /** The backend's SYN-ACK was passed on. */
  synReceived: 2,
  /** One datagram from the client, nothing else yet. */
  udpNew: 3,
  established: 4,
  /** The client has sent a FIN, the backend not. */
  clientClosing: 5,
  backendClosing: 6,
  /** A second datagram has come, from either side. */
  udpStream: 7,
  /** Both have sent a FIN. */
  lastAck: 8,
  /** Both have sent a FIN and something came after. */
  timeWait: 9,
  /** A plausible RST has passed; in direct server return, any. */
  reset: 10,
  /** In direct server return: one segment in mid-flow, nothing before it that is remembered. */
  pickedUp: 11,
  /** In direct server return: the client has sent a FIN. */
  finSeen: 12,
} as const;

export const FlowClass = { halfOpen: 0, live: 1, closing: 2 } as const;

/** The class of each state, by number. */
export const classOfState: Uint8Array = Uint8Array.of(
  FlowClass.live,
  FlowClass.halfOpen,
  FlowClass.halfOpen,
  FlowClass.halfOpen,
  FlowClass.live,
  FlowClass.live,
  FlowClass.live,
  FlowClass.live,
  FlowClass.closing,
  FlowClass.closing,
  FlowClass.closing,
  FlowClass.halfOpen,
  FlowClass.closing,
);

/** The states of flows that are seen in both directions (NAT), and in the client's alone (direct server return). */
export const fullStates = [
  'syn-sent',
  'syn-received',
  'udp-new',
  'established',
  'client-closing',
  'backend-closing',
  'udp-stream',
  'last-ack',
  'time-wait',
  'reset',
] as const satisfies readonly FlowStateName[];
export const partialStates = [
  'syn-sent',
  'picked-up',
  'udp-new',
  'established',
  'udp-stream',
  'fin-seen',
  'reset',
] as const satisfies readonly FlowStateName[];

/** Silence after which a flow ends, in milliseconds, by its state. */
export type FlowTimeouts = Readonly<Record<Exclude<FlowStateName, 'free'>, number>>;

/**
 * Established and half-closed as RFC 5382 REQ-5 wants them at least, UDP as RFC 4787 REQ-5 recommends;
 * the others, where no endpoint loses anything by them, as IPVS has them.
 */
export const defaultFlowTimeouts: FlowTimeouts = {
  'syn-sent': 60_000,
  'syn-received': 60_000,
  'udp-new': 30_000,
  established: 7_440_000,
  'client-closing': 240_000,
  'backend-closing': 240_000,
  'udp-stream': 300_000,
  'last-ack': 30_000,
  'time-wait': 120_000,
  reset: 10_000,
  'picked-up': 240_000,
  'fin-seen': 120_000,
};
