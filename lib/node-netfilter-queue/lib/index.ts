/** Packets from Linux's NFQUEUE and verdicts back. Start at {@link Queue}. */
export { EtherType, Hook, PacketFlag, Verdict, VerdictFlag } from './constants.ts';
export { type KernelCounters, kernelCounters } from './counters.ts';
export { NetfilterQueueError, type NetfilterQueueErrorCode } from './errors.ts';
export type { Columns, NativeCounters } from './native.ts';
export type { Packet } from './packets.ts';
export { type Batch, Queue, type QueueCounters, type QueueOptions } from './queue.ts';
export { StopSignal } from './stop-signal.ts';
