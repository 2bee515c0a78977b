/**
 * The plan as text, for a machine that has no Node: what sluice would do there, in the words of a shell and of
 * systemd-networkd. Of that machine nothing is known but that it is an ordinary one.
 */
import { SluiceError } from '../../model/errors.ts';
import type { TunnelEndSpec } from '../../model/tunnel-end.ts';
import { usualMtu } from '../machine-facts.ts';
import { type MachineFacts, planTunnelEnd } from '../plan.ts';
import { networkFiles } from './networkd.ts';
import { shellScript } from './shell.ts';

export interface PrintedTunnelEnd {
  /** A script for sh: `up` unless it is told `undo`. */
  readonly shell: string;
  /** Files for systemd, by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** What is taken for granted of another machine. */
const ordinary: MachineFacts = {
  canMake: () => true,
  mtuFrom: () => usualMtu,
  freeQueue: () => 0,
  interfaces: [],
  // As the kernel has its settings if nobody changes them.
  read: () => '0',
};

/** Throws ERR_SLUICE_USAGE for what takes this program. */
export function printTunnelEnd(spec: TunnelEndSpec): PrintedTunnelEnd {
  const plan = planTunnelEnd(spec, ordinary);
  if (plan.own.length > 0) {
    throw new SluiceError(
      'ERR_SLUICE_USAGE',
      'the kernel has no device for IPv6 in IPv4 from a whole network, as ipip would need',
      { exitCode: 2, remedy: 'use gre, or name each address of the balancers' },
    );
  }
  const files = networkFiles(plan);
  return { shell: shellScript(spec, plan, files), files };
}
