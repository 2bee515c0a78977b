/** `sluice doctor` without its words: which checks a mode has, and what they found on a machine. */
import type { Case, Check } from './check.ts';
import { checkDecapsulation } from './checks/decapsulation.ts';
import { checkDescriptors } from './checks/descriptors.ts';
import { checkFirewall } from './checks/firewall.ts';
import {
  checkIpTool,
  checkPacketQueue,
  checkRawSockets,
  checkRuleTool,
  checkSpreading,
  checkTunnelDevices,
} from './checks/kernel.ts';
import { checkLeftovers } from './checks/leftovers.ts';
import { checkOffloads } from './checks/offloads.ts';
import { checkOtherPrograms } from './checks/other-programs.ts';
import { checkPathMtu, checkRoutes } from './checks/paths.ts';
import { checkPortTaken, checkSnatPorts } from './checks/ports.ts';
import { checkCapabilities, checkLowPorts } from './checks/rights.ts';
import { checkSettings } from './checks/settings.ts';
import { checkTracking } from './checks/tracking.ts';
import { checkQueueForTunnels, checkTunnelEnds } from './checks/tunnel-ends.ts';
import { checkVips } from './checks/vips.ts';
import type { Facts } from './facts.ts';
import { type Finding, fault, ok } from './finding.ts';
import type { DoctorMode } from './modes.ts';
import type { Subject } from './subject.ts';

const needsOfChanges: readonly Check[] = [checkCapabilities, checkRuleTool, checkIpTool];
const needsOfPackets: readonly Check[] = [checkCapabilities, checkPacketQueue, checkRuleTool, checkIpTool];
const waysIn: readonly Check[] = [checkVips, checkPortTaken, checkOtherPrograms];
const waysOn: readonly Check[] = [checkFirewall, checkRoutes, checkPathMtu];

/** In the order in which they are told: what the machine has to have, then the way of a packet through it. */
const checksOf: Readonly<Record<DoctorMode, readonly Check[]>> = {
  proxy: [checkDescriptors, checkLowPorts, ...waysIn, ...waysOn, checkTracking, checkLeftovers],
  nat: [
    ...needsOfPackets,
    checkSpreading,
    checkSettings,
    checkOffloads,
    ...waysIn,
    ...waysOn,
    checkSnatPorts,
    checkTracking,
    checkLeftovers,
  ],
  dsr: [
    ...needsOfPackets,
    checkSpreading,
    checkRawSockets,
    checkSettings,
    checkOffloads,
    ...waysIn,
    ...waysOn,
    checkDecapsulation,
    checkTracking,
    checkLeftovers,
  ],
  backend: [...needsOfChanges, checkQueueForTunnels, checkTunnelDevices, checkTunnelEnds, checkLeftovers],
};

/** What the checks of one mode find; the services of other modes are left out. */
export function examine(mode: DoctorMode, facts: Facts, subject: Subject): readonly Finding[] {
  const services = subject.services.filter((service) => service.mode === mode);
  const asked = (mode === 'backend' ? undefined : subject.paths[mode]) ?? {};
  const of: Case = { mode, facts, subject: { ...subject, services }, asked };
  return checksOf[mode].flatMap((check) => check(of));
}

/** The same where there is no Linux to look at. */
export function examineElsewhere(mode: DoctorMode, platform: string): readonly Finding[] {
  if (mode === 'proxy') return [ok('platform', platform)];
  const detail = `packets are rewritten by Linux, and this is ${platform}`;
  return [fault('platform', detail, { advice: 'use sluice proxy' })];
}
