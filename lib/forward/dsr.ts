/**
 * The data path of direct server return. Figure 10.
 *
 * It is meant for PREROUTING and, for clients and checks on this machine, OUTPUT: the kernel looks the route up
 * afterwards, and so sends the outer packet to where its header says. Its queue must hand packets over as they go
 * over the wire, whole and with their checksums complete (without NFQA_CFG_F_GSO): nobody looks inside any more.
 *
 * After `process`, what stands in the outboxes is to be sent and they are to be cleared.
 */
import { DsrDecision, type DsrParts } from './dsr-decision.ts';
import type { DsrTables } from './dsr-tables.ts';
import { Forwarder, type ForwarderOptions } from './forwarder.ts';

export interface DsrOptions extends ForwarderOptions, DsrParts {
  readonly tables: DsrTables;
}

/** A forwarder that sends clients' packets to backends through tunnels. */
export function dsrForwarder(options: DsrOptions): Forwarder<DsrTables> {
  return new Forwarder(new DsrDecision(options.tables, options), options);
}
