/**
 * What a plan has to know of this machine, found out from the machine itself. To know whether the kernel can make a
 * device, one is made and taken away again: there is no other way, and the kernel loads its module so.
 */
import { CommandError, type Run } from '../datapath/kernel/command.ts';
import type { Grip } from '../datapath/kernel/hold.ts';
import type { IpChange } from '../datapath/kernel/journal.ts';
import { interfaceNames, readSetting } from '../datapath/kernel/sysctls.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import { devicesFor, mergeDevices, type TunnelDevice } from './devices.ts';
import type { MachineFacts } from './plan.ts';
import { tunnelsOf } from './tunnels.ts';

/** What is taken for a path's MTU where the way to the source is not known: it need not be, as nothing goes there. */
export const usualMtu = 1_500;

/** The change that makes a device. */
export function linkChange({ name, type }: TunnelDevice): IpChange {
  return { kind: 'ip', object: 'link', spec: [name], options: ['type', ...type] };
}

/** The facts for a specification. `freeQueue` finds a queue, if it comes to that. */
export async function learnMachine(
  spec: TunnelEndSpec,
  grip: Grip,
  run: Run,
  freeQueue: () => number,
): Promise<MachineFacts> {
  const makeable = new Set<string>();
  for (const device of mergeDevices(tunnelsOf(spec).flatMap((tunnel) => devicesFor(tunnel) ?? []))) {
    if (await canMake(device, grip)) makeable.add(device.name);
  }
  const mtus = new Map<string, number>();
  for (const network of spec.from) mtus.set(network, await mtuTowards(network.split('/')[0]!, run));
  return {
    canMake: ({ name }) => makeable.has(name),
    mtuFrom: (network) => mtus.get(network) ?? usualMtu,
    freeQueue,
    interfaces: interfaceNames(),
    read: readSetting,
  };
}

async function canMake(device: TunnelDevice, { changes, journal }: Grip): Promise<boolean> {
  const change = linkChange(device);
  try {
    await changes.add(change);
  } catch (error) {
    if (!(error instanceof CommandError) || error.missing) throw error;
    // There may be one of that name, which is not ours to take away.
    journal.forget(change);
    return false;
  }
  await changes.takeBack(change);
  return true;
}

/** Of the way there, which is taken for the way back. */
async function mtuTowards(address: string, run: Run): Promise<number> {
  try {
    const [route] = JSON.parse(await run('ip', ['-json', 'route', 'get', address]));
    const ofRoute: number | undefined = route?.metrics?.[0]?.mtu;
    if (ofRoute !== undefined) return ofRoute;
    const [link] = JSON.parse(await run('ip', ['-json', 'link', 'show', 'dev', route.dev]));
    return link.mtu;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return usualMtu;
  }
}
