/**
 * What is to be done on a machine so that tunnels end there, as data: from what is asked for and what is known of the
 * machine, and from nothing else. It is brought about by tunnel-end.ts, and printed by print/.
 *
 *   spec ─┐           ┌─▶ devices    of the kernel, for the tunnels that it can take in
 *         ├─▶ plan ───┼─▶ own        the tunnels that it cannot: their packets are queued, for this process
 *   facts ┘           ├─▶ rules      who may use a tunnel, and the segment size that clients are told
 *                     ├─▶ settings   of the machine: ARP, reverse path
 *                     └─▶ addresses  the VIPs, on lo
 */
import { type AddedAddress, familyOf } from '../datapath/kernel/description.ts';
import type { ReadSetting, Setting } from '../datapath/kernel/sysctls.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import { devicesFor, mergeDevices, type TunnelDevice } from './devices.ts';
import { type SegmentSize, segmentSizes } from './segment-size.ts';
import { type Tunnel, tunnelsOf } from './tunnels.ts';

/** What has to be known of the machine. */
export interface MachineFacts {
  /** Whether its kernel can make a device. */
  canMake(device: TunnelDevice): boolean;
  /** The largest packet that comes here in one piece from a source of tunnels, in bytes. */
  mtuFrom(network: string): number;
  /** The number of a queue that nobody has. */
  freeQueue(): number;
  /** By which packets may come in. */
  readonly interfaces: readonly string[];
  readonly read: ReadSetting;
}

/** Packets of one tunnel protocol from one place. */
export interface Admission {
  readonly family: 4 | 6;
  /** Of the outer header. */
  readonly protocol: number;
  readonly from: string;
}

/** Who may use the tunnels, in no tool's language. */
export interface TunnelRules {
  readonly vips: readonly string[];
  /** Let through by the devices. What else comes out of one is dropped, and so is what is for no VIP. */
  readonly admitted: readonly Admission[];
  /** Names of the devices. */
  readonly devices: readonly string[];
  /** Brought to this process. What else comes in these protocols, to an address of this machine, is dropped. */
  readonly queued: readonly Admission[];
  /** The number of that queue; none if there is nothing to bring. */
  readonly queue: number | undefined;
  readonly segmentSizes: readonly SegmentSize[];
}

export interface TunnelEndPlan {
  readonly rules: TunnelRules;
  readonly devices: readonly TunnelDevice[];
  readonly own: readonly Tunnel[];
  /** Right ones too: they have to stay so. */
  readonly settings: readonly Setting[];
  readonly addresses: readonly AddedAddress[];
}

/** The plan for a machine. */
export function planTunnelEnd(spec: TunnelEndSpec, facts: MachineFacts): TunnelEndPlan {
  const tunnels = tunnelsOf(spec).map((tunnel) => ({ tunnel, devices: usable(tunnel, facts) }));
  const own = tunnels.flatMap(({ tunnel, devices }) => (devices === undefined ? [tunnel] : []));
  const devices = mergeDevices(tunnels.flatMap((each) => each.devices ?? []));
  const admitted = tunnels.flatMap((each) => (each.devices === undefined ? [] : [each.tunnel]));
  return {
    rules: {
      vips: spec.vips,
      admitted: admitted.flatMap(admissions),
      devices: devices.map(({ name }) => name),
      queued: own.flatMap(admissions),
      queue: own.length === 0 ? undefined : facts.freeQueue(),
      segmentSizes: segmentSizes(spec, facts.mtuFrom),
    },
    devices,
    own,
    settings: settingsFor(spec, tunnels.length === 0 || own.length > 0, facts),
    addresses: spec.vips.map((address) => ({ interface: 'lo', address })),
  };
}

/** Whether packets of this process's own tunnels come out of them in another family than they went in. */
export function crossesFamilies({ own }: TunnelEndPlan): boolean {
  return own.some(({ outer, inner }) => inner.some((family) => family !== outer));
}

/** Whether there is a rule at all. */
export function saysAnything({ admitted, queued, segmentSizes }: TunnelRules): boolean {
  return admitted.length + queued.length + segmentSizes.length > 0;
}

function usable(tunnel: Tunnel, facts: MachineFacts): readonly TunnelDevice[] | undefined {
  const devices = devicesFor(tunnel);
  return devices?.every((device) => facts.canMake(device)) ? devices : undefined;
}

function admissions({ outer, protocol, from }: Tunnel): Admission[] {
  return from.map((network) => ({ family: outer, protocol, from: network }));
}

/** Of `all` and the interface the higher value counts, but for IPv6, where only the interface's does. */
function settingsFor(
  { vips }: TunnelEndSpec,
  comesInBare: boolean,
  { read, interfaces }: MachineFacts,
): readonly Setting[] {
  const settings: Setting[] = [];
  const want = (path: string, why: string, wanted: (current: string) => string): void => {
    const current = read(path);
    if (current !== undefined) settings.push({ path, current, wanted: wanted(current), why });
  };
  const families = new Set(vips.map(familyOf));
  if (families.has(4)) {
    const arp = 'net/ipv4/conf/all/arp';
    want(
      `${arp}_ignore`,
      'hosts of the link are told that the VIP is here, not at the balancer',
      (current) => (current === '0' ? '1' : current),
    );
    want(
      `${arp}_announce`,
      'hosts of the link learn so from the questions that this machine asks',
      () => '2',
    );
    const ofAll = Number(read('net/ipv4/conf/all/rp_filter') ?? 0);
    for (const name of comesInBare ? interfaces : []) {
      const why = 'clients whose way back is another than the balancer’s fail the reverse path test';
      want(`net/ipv4/conf/${name}/rp_filter`, why, (current) =>
        Math.max(ofAll, Number(current)) === 1 ? '2' : current,
      );
    }
  }
  if (families.has(6)) want('net/ipv6/conf/lo/disable_ipv6', 'lo takes no IPv6 address', () => '0');
  return settings;
}
