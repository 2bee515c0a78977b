/** Whether tunnels can end here, and whether they do: a packet was sent through each, and came out or did not. */
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, warning } from '../finding.ts';
import type { TunnelEndFacts } from '../readers/tunnel-ends.ts';
import { checkPacketQueue } from './kernel.ts';

/** The packet queue, where the kernel does not take in every kind of tunnel by itself. */
export function checkQueueForTunnels(of: Case): readonly Finding[] {
  const { gre, ip6gre, ipip, ip6tnl } = of.facts.kernel.tunnels;
  const findings = checkPacketQueue(of);
  if (!gre || !ip6gre || !ipip || !ip6tnl || findings.every(({ verdict }) => verdict !== 'fault'))
    return findings;
  return [moot('packet-queue', 'the kernel lacks NFQUEUE, and takes in tunnels without')];
}

/** The packets that were sent through the tunnels of each instance. */
export function checkTunnelEnds({ facts }: Case): readonly Finding[] {
  const { tunnelEnds } = facts;
  if (tunnelEnds.length === 0) {
    return [moot('tunnel', 'no sluice backend runs here: start it, and ask again for a packet through it')];
  }
  return tunnelEnds.flatMap((end) => [...trialsOf(end), ...dropsOf(end)]);
}

function trialsOf({ name, trials }: TunnelEndFacts): readonly Finding[] {
  if (trials.length === 0) return [ok('tunnel', `${name} has none: requests come to its link address`)];
  return trials.map(({ from, vip, arrived, error }) => {
    if (arrived) return ok('tunnel', `a packet from ${from} came out at ${vip}`);
    if (error !== undefined) return moot('tunnel', `no packet from ${from} could be sent: ${error}`);
    return fault('tunnel', `a packet from ${from} did not come out at ${vip}`, {
      advice: 'see whether a firewall drops tunnels from there, or what comes in for the VIP',
    });
  });
}

function dropsOf({ name, dropped }: TunnelEndFacts): readonly Finding[] {
  if (dropped === undefined || dropped.strangers === 0) return [];
  const detail = `${dropped.strangers} packets came in tunnels from elsewhere, and were dropped`;
  return [warning('strangers', detail, { advice: `is each address of the balancers in --from of ${name}?` })];
}
