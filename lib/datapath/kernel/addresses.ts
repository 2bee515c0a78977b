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
import type { Log } from '../../model/log.ts';
import { formatAddress, writeAddress } from '../../packet/address.ts';
import type { Run } from './command.ts';
import { type AddedAddress, familyOf } from './description.ts';
import type { IpChange } from './journal.ts';
import type { RecordedChanges } from './recorded-changes.ts';

const dummyAddress = '192.0.0.8';
const discardPort = 9;

/** The addresses of an interface, in the form that `canonical` gives them. */
export async function addressesOf(name: string, run: Run): Promise<ReadonlySet<string>> {
  const shown = await run('ip', ['-oneline', 'address', 'show', 'dev', name]);
  return new Set(Array.from(shown.matchAll(/ inet6? ([\da-f.:]+)/g), ([, address]) => canonical(address!)));
}

/** An address in the one form in which equal ones are equal texts; what is none stays as it is. */
export function canonical(address: string): string {
  const words = new Int32Array(4);
  return writeAddress(address, words, 0) ? formatAddress(words, 0) : address;
}

/** The change that adds an address. */
export function addressChange({ interface: name, address }: AddedAddress): IpChange {
  // Deprecated (RFC 4862 §5.5.4): the machine does not choose the VIP for connections of its own.
  return familyOf(address) === 4
    ? { kind: 'ip', object: 'address', spec: [`${address}/32`, 'dev', name] }
    : {
        kind: 'ip',
        object: 'address',
        spec: [`${address}/128`, 'dev', name],
        options: ['preferred_lft', '0'],
      };
}

/** Adds an address and announces it, unless it is there already. */
export async function addAddress(
  added: AddedAddress,
  changes: RecordedChanges,
  run: Run,
  log: Log,
): Promise<void> {
  if ((await addressesOf(added.interface, run)).has(canonical(added.address))) return;
  if (added.interface === 'lo') {
    await changes.add(addressChange(added));
  } else if (familyOf(added.address) === 6) {
    await addAnnounced(added, changes);
  } else {
    await changes.add(addressChange(added));
    await announce(added, changes, run).catch((error: unknown) =>
      log.warn('The address could not be announced', { ...added, error: String(error) }),
    );
  }
}

async function addAnnounced(added: AddedAddress, changes: RecordedChanges): Promise<void> {
  const conf = `net/ipv6/conf/${added.interface}`;
  const settings = [changes.set(`${conf}/accept_dad`, '0'), changes.set(`${conf}/ndisc_notify`, '1')];
  try {
    await changes.add(addressChange(added));
  } finally {
    for (const setting of settings) await changes.takeBack(setting);
  }
}

/** Has the kernel ask the link for the dummy address in the name of an IPv4 address of its own. */
async function announce(added: AddedAddress, changes: RecordedChanges, run: Run): Promise<void> {
  const { interface: name, address } = added;
  const route: IpChange = { kind: 'ip', object: 'route', spec: [`${dummyAddress}/32`, 'dev', name] };
  // What the kernel is still asking for it does not ask for anew.
  await run('ip', ['neighbour', 'delete', dummyAddress, 'dev', name]).catch(() => undefined);
  try {
    await changes.add(route);
    await sendFrom(address);
  } finally {
    await changes.takeBack(route);
  }
}

function sendFrom(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const finish = (error: Error | null): void => {
      socket.close();
      if (error === null) resolve();
      else reject(error);
    };
    socket.once('error', finish).bind(0, address, () => socket.send('', discardPort, dummyAddress, finish));
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
