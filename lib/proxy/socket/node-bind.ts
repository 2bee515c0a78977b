/** Binding one of Node's handles, TCP or UDP, to where a listener is wanted. */
import { ipFamily } from '../../model/ip.ts';
import type { HostPort } from '../../model/spec.ts';
import { bindHost } from './bind-host.ts';

interface Bindable {
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
}

/**
 * Binds to a literal address, or, for an empty host, to every address. `onlyIpv6` is the flag of libuv that keeps
 * IPv4 away from an IPv6 address. Returns 0 or a negative errno; for TCP EADDRINUSE comes only with `listen`.
 */
export function bindHandle(handle: Bindable, { host, port }: HostPort, onlyIpv6: number): number {
  return bindHost(host, (address, alone) =>
    ipFamily(address) === 6
      ? handle.bind6(address, port, alone ? onlyIpv6 : 0)
      : handle.bind(address, port, 0),
  );
}
