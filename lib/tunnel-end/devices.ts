/**
 * The kernel's own tunnel devices. In `external` mode one device takes in all tunnels of its kind whatever their
 * source, so that a network of sources needs no more than one; which sources are welcome is for the rules to say. Only
 * sit, for IPv6 in IPv4 without GRE, has no such mode: it takes one device for each source, and no networks.
 *
 * A device needs an address, or packets with IPv4 inside fail its reverse path test, even the loose one. It gets
 * 192.0.0.8, which is nobody's (RFC 7600 §4.8), with a scope in which it is no source for other devices.
 */
import { Protocol } from '../packet/packet.ts';
import type { Family, Tunnel } from './tunnels.ts';

export interface TunnelDevice {
  readonly name: string;
  /** What stands behind `ip link add NAME type`. */
  readonly type: readonly string[];
  /** Families that may be inside. */
  readonly inner: readonly Family[];
}

/** A device's address and settings, besides being up. */
export interface Furnishing {
  /** Words for `ip address add`. */
  readonly address: readonly string[] | undefined;
  readonly settings: readonly { readonly path: string; readonly wanted: string }[];
}

const dummyAddress = ['192.0.0.8/32', 'scope', 'link'];

/** The devices that take in a tunnel; undefined if the kernel can have none that do. */
export function devicesFor({ outer, protocol, inner, from }: Tunnel): readonly TunnelDevice[] | undefined {
  if (protocol === Protocol.ipv6 && outer === 4) {
    if (from.some((network) => network.includes('/'))) return undefined;
    return from.map((source, index) => ({
      name: `sluice-sit${index}`,
      type: ['sit', 'mode', 'ip6ip', 'remote', source],
      inner,
    }));
  }
  const [name, kind] =
    protocol === Protocol.gre
      ? outer === 4
        ? ['sluice-gre', 'gre']
        : ['sluice-gre6', 'ip6gre']
      : outer === 4
        ? ['sluice-ipip', 'ipip']
        : ['sluice-ip6tnl', 'ip6tnl'];
  return [{ name, type: [kind, 'external'], inner }];
}

/** Devices that serve several tunnels stand here once. */
export function mergeDevices(devices: readonly TunnelDevice[]): readonly TunnelDevice[] {
  const merged = new Map<string, TunnelDevice>();
  for (const device of devices) {
    const inner = [...(merged.get(device.name)?.inner ?? []), ...device.inner];
    merged.set(device.name, { ...device, inner: [...new Set(inner)] });
  }
  return [...merged.values()];
}

/** What a device that packets come out of needs, by what is inside. */
export function furnishing(name: string, inner: readonly Family[]): Furnishing {
  const settings = [
    // Loose: `all` cannot be undercut, only overruled.
    ...(inner.includes(4) ? [{ path: `net/ipv4/conf/${name}/rp_filter`, wanted: '2' }] : []),
    { path: `net/ipv6/conf/${name}/disable_ipv6`, wanted: inner.includes(6) ? '0' : '1' },
  ];
  return { address: inner.includes(4) ? dummyAddress : undefined, settings };
}
