/**
 * Addresses that sluice puts on an interface for as long as it runs, and how the link learns of them. Everything is
 * done by ip(8) and by the kernel itself, so that no raw socket is needed.
 *
 * IPv4: nothing makes the kernel announce an address that is added (arp_notify acts when a link comes up). But every
 * ARP request says whose it is, and all who know the sender learn from it (RFC 826). So a datagram is sent from the
 * address to 192.0.0.8, the dummy address that no host has (RFC 7600 §4.8), by a route that is there for that moment;
 * the kernel asks for it, three times, a second apart:
 *
 *   Request who-has 192.0.0.8 tell VIP
 *
 * IPv6: with `ndisc_notify` the kernel sends an unsolicited neighbour advertisement when duplicate address detection
 * has ended, which with `accept_dad` 0 is at once. (An address that is added with `nodad` is never announced.)
 */
import { createSocket } from 'node:dgram';
import { formatAddress, writeAddress } from '../../packet/address.ts';
import type { Run } from './command.ts';
import { type AddedAddress, familyOf } from './description.ts';

const dummyAddress = '192.0.0.8';
/** Discard: nobody is there to receive it anyway. */
const dummyPort = 9;

/** Something that was added by `ip OBJECT add SPEC` and goes by `ip OBJECT delete SPEC`. */
export interface IpObject {
  readonly object: 'address' | 'route';
  readonly spec: readonly string[];
}

/** The addresses of an interface, in the form that `canonical` gives them. */
export async function addressesOf(name: string, run: Run): Promise<ReadonlySet<string>> {
  const shown = await run('ip', ['-oneline', 'address', 'show', 'dev', name]);
  return new Set(Array.from(shown.matchAll(/ inet6? ([\da-f.:]+)/g), ([, address]) => canonical(address!)));
}

export function canonical(address: string): string {
  const words = new Int32Array(4);
  return writeAddress(address, words, 0) ? formatAddress(words, 0) : address;
}

export function addressObject({ interface: name, address }: AddedAddress): IpObject {
  return { object: 'address', spec: [`${address}/${familyOf(address) === 4 ? 32 : 128}`, 'dev', name] };
}

/** Settings under which the kernel announces an IPv6 address of its own accord when it is added. */
export function announcingSettings(name: string): readonly (readonly [path: string, value: string])[] {
  return [
    [`net/ipv6/conf/${name}/accept_dad`, '0'],
    [`net/ipv6/conf/${name}/ndisc_notify`, '1'],
  ];
}

export async function addIpObject({ object, spec }: IpObject, run: Run): Promise<void> {
  // Deprecated (RFC 4862 §5.5.4): the machine does not choose a VIP as the source of connections of its own.
  const deprecated = object === 'address' && spec[0]!.includes(':') ? ['preferred_lft', '0'] : [];
  await run('ip', [object, 'add', ...spec, ...deprecated]);
}

/** Idempotent: that it is gone, or its whole interface is, is as good. */
export async function deleteIpObject({ object, spec }: IpObject, run: Run): Promise<void> {
  try {
    await run('ip', [object, 'delete', ...spec]);
  } catch (error) {
    const gone = /Cannot assign requested address|Cannot find device|No such process|address not found/i;
    if (!(error instanceof Error && gone.test(error.message))) throw error;
  }
}

/** The route by which `provokeRequest` reaches the link. */
export function dummyRoute(name: string): IpObject {
  return { object: 'route', spec: [`${dummyAddress}/32`, 'dev', name] };
}

/** Has the kernel ask the link for the dummy address in the name of `address` (IPv4), which has to be there. */
export async function provokeRequest({ interface: name, address }: AddedAddress, run: Run): Promise<void> {
  // What the kernel is still asking for it does not ask for anew.
  await run('ip', ['neighbour', 'delete', dummyAddress, 'dev', name]).catch(() => undefined);
  await new Promise<void>((resolve, reject) => {
    const socket = createSocket('udp4');
    const finish = (error: Error | null): void => {
      socket.close();
      if (error === null) resolve();
      else reject(error);
    };
    socket.once('error', finish).bind(0, address, () => socket.send('', dummyPort, dummyAddress, finish));
  });
}

/** Whether packets to this address end on this machine, or would if it had been added. */
export async function isLocal(address: string): Promise<boolean> {
  const socket = createSocket(familyOf(address) === 4 ? 'udp4' : 'udp6');
  return new Promise((resolve) => {
    const finish = (local: boolean) => (): void => {
      socket.close();
      resolve(local);
    };
    socket.once('error', finish(false)).bind({ address, port: 0, exclusive: true }, finish(true));
  });
}
