/** The packet paths that there are, each not started yet. */
import type { Clock } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import { DsrMode, type DsrPublication } from './dsr/mode.ts';
import type { DsrSettings, DsrVip } from './dsr/settings.ts';
import { commandRunner } from './kernel/command.ts';
import { NatMode, type NatPublication } from './nat/mode.ts';
import type { NatSettings, NatVip } from './nat/settings.ts';
import { pathLimits } from './publisher.ts';
import { QueueDatapath } from './queue-datapath.ts';

export type DsrDatapath = QueueDatapath<DsrVip, DsrPublication>;
export type NatDatapath = QueueDatapath<NatVip, NatPublication>;

/** The packet path of mode nat. */
export function natDatapath(settings: NatSettings, log: Log, clock: Clock): NatDatapath {
  const mode = new NatMode(settings, pathLimits, commandRunner(settings.directory));
  return new QueueDatapath(mode, settings, log, clock);
}

/** The packet path of mode dsr. */
export function dsrDatapath(settings: DsrSettings, log: Log, clock: Clock): DsrDatapath {
  const mode = new DsrMode(settings, pathLimits, commandRunner(settings.directory));
  return new QueueDatapath(mode, settings, log, clock);
}
