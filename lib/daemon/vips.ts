/** From what a service listens on to VIPs of a packet path. */
import { networkInterfaces } from 'node:os';
import type { Endpoint } from '../datapath/kernel/description.ts';
import { SluiceError } from '../model/errors.ts';
import type { Listen } from '../model/spec.ts';
import type { Addresses } from './resolve.ts';

/** Where packets for it come to. Throws ERR_SLUICE_NO_ADDRESS where every address of a machine without one is meant. */
export function endpointsAt({ protocol, host, port }: Listen, addresses: Addresses): readonly Endpoint[] {
  if (host !== '') return [{ protocol, address: addresses(host), port }];
  const own = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address));
  if (own.length === 0) {
    throw new SluiceError('ERR_SLUICE_NO_ADDRESS', 'this machine has no address that clients could use', {
      remedy: 'write the address of the VIP, and add it to an interface with --add-vip',
    });
  }
  return own.map(({ address }) => ({ protocol, address, port }));
}
