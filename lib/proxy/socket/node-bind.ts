/** Binding one of Node's handles, TCP or UDP, to where a listener is wanted. */
import { constants } from 'node:os';
import { ipFamily } from '../../model/ip.ts';
import type { HostPort } from '../../model/spec.ts';

interface Bindable {
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
}

const noSuchFamily = -constants.errno.EAFNOSUPPORT;

/**
 * Binds to a literal address, or, for an empty host, to every address: both families on one socket, and IPv4
 * alone on a machine that knows no other. `onlyIpv6` is the flag of libuv that keeps IPv4 away from an IPv6
 * address. Returns 0 or a negative errno; for TCP EADDRINUSE comes only with `listen`.
 */
export function bindHandle(handle: Bindable, { host, port }: HostPort, onlyIpv6: number): number {
  if (host === '') {
    const errno = handle.bind6('::', port, 0);
    return errno === noSuchFamily ? handle.bind('0.0.0.0', port, 0) : errno;
  }
  return ipFamily(host) === 6 ? handle.bind6(host, port, onlyIpv6) : handle.bind(host, port, 0);
}
