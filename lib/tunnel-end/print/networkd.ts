/**
 * The plan as files for systemd-networkd (systemd.netdev(5), systemd.network(5)) and sysctl.d(5), which has a setting
 * wait for its interface.
 */
import { type AddedAddress, familyOf } from '../../datapath/kernel/description.ts';
import { sysctlName } from '../../datapath/kernel/sysctls.ts';
import { furnishing, type TunnelDevice } from '../devices.ts';
import type { TunnelEndPlan } from '../plan.ts';

type Section = readonly [name: string, ...lines: string[]];

const folder = '/etc/systemd/network/50-';

/** Texts by path. */
export function networkFiles({
  devices,
  settings,
  addresses,
}: TunnelEndPlan): Readonly<Record<string, string>> {
  const wrong = settings.filter(({ current, wanted }) => current !== wanted);
  const ofDevices = devices.flatMap(({ name, inner }) => furnishing(name, inner).settings);
  const needed = [...wrong, ...ofDevices].map(({ path, wanted }) => `${sysctlName(path)} = ${wanted}\n`);
  return {
    ...Object.assign({}, ...devices.map(deviceFiles)),
    [`${folder}sluice-lo.network`]: unit(['Match', 'Name=lo'], ...addresses.map(addressSection)),
    ...(needed.length === 0 ? {} : { '/etc/sysctl.d/50-sluice.conf': needed.join('') }),
  };
}

function deviceFiles(device: TunnelDevice): Record<string, string> {
  const { name, inner } = device;
  const { address } = furnishing(name, inner);
  return {
    [`${folder}${name}.netdev`]: netdev(device),
    [`${folder}${name}.network`]: unit(
      ['Match', `Name=${name}`],
      ['Network', 'LinkLocalAddressing=no'],
      ...(address === undefined
        ? []
        : [['Address', `Address=${address[0]}`, `Scope=${address[2]}`] as const]),
    ),
  };
}

function netdev({ name, type }: TunnelDevice): string {
  const [kind, ...options] = type;
  const ends = options.includes('external')
    ? ['External=yes']
    : ['Independent=yes', 'Local=any', `Remote=${options[options.indexOf('remote') + 1]}`];
  const mode = kind === 'ip6tnl' ? ['Mode=any'] : [];
  return unit(['NetDev', `Name=${name}`, `Kind=${kind}`], ['Tunnel', ...ends, ...mode]);
}

function addressSection({ address }: AddedAddress): Section {
  return familyOf(address) === 4
    ? ['Address', `Address=${address}/32`]
    : ['Address', `Address=${address}/128`, 'PreferredLifetime=0'];
}

function unit(...sections: readonly Section[]): string {
  return sections.map(([name, ...lines]) => `[${name}]\n${lines.join('\n')}\n`).join('\n');
}
