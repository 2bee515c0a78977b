/** What each mode that has a packet path makes of a service. */
import type { DsrVip } from '../datapath/dsr/settings.ts';
import type { NatVip } from '../datapath/nat/settings.ts';
import type { Vip } from '../datapath/settings.ts';
import type { CheckSpec, ServiceSpec } from '../model/spec.ts';
import { type CheckWay, directly, type TunnelMouth, throughTunnel } from './check-way.ts';

export interface PacketMode<V extends Vip> {
  /** A VIP with what the mode has to know of it. */
  complete(vip: Vip, spec: ServiceSpec): V;
  checkWay(mouth: TunnelMouth, check: CheckSpec): CheckWay;
}

export const natMode: PacketMode<NatVip> = {
  complete: (vip, { nat }) => ({ ...vip, snat: nat.snat !== 'none', whenDown: nat.whenDown }),
  checkWay: () => directly,
};

export const dsrMode: PacketMode<DsrVip> = {
  complete: (vip, { dsr }) => ({ ...vip, ...dsr }),
  checkWay: throughTunnel,
};
