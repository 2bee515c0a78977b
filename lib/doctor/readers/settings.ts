/** Settings of the kernel that matter, as they are. */
import type { PortRange } from '../../datapath/kernel/description.ts';
import { readJournals, standingOf } from '../../datapath/kernel/journal.ts';
import { overlapWithLocalPorts } from '../../datapath/kernel/local-ports.ts';
import { type Setting, settingsFor } from '../../datapath/kernel/sysctls.ts';
import type { Machine } from '../machine.ts';

export interface SettingFacts {
  /** What rewritten packets need, right or wrong. */
  readonly settings: readonly Setting[];
  /** Those that a running instance has seen to. */
  readonly reliedOn: ReadonlySet<string>;
  /** Whether this process may write them; in many containers nobody may. */
  readonly writable: boolean;
  /** Those of the ports of rewritten packets that the kernel gives to connections of the machine's own as well. */
  readonly sharedPorts: readonly PortRange[];
  /** What `ip_local_reserved_ports` holds back already. */
  readonly reservedPorts: string;
  /** Entries of connection tracking, and how many there may be; undefined where the kernel does not track. */
  readonly tracking: { readonly count: number; readonly limit: number } | undefined;
}

export interface SettingsWanted {
  readonly directory: string;
  readonly interfaces: readonly string[];
  /** Whether rewritten packets may leave from an IPv4 address of this machine's. */
  readonly localSource: boolean;
  readonly snatPorts: PortRange | undefined;
}

export function readSettingFacts(wanted: SettingsWanted, machine: Machine): SettingFacts {
  const { directory, interfaces, localSource, snatPorts } = wanted;
  const read = (path: string): string | undefined => machine.read(`/proc/sys/${path}`)?.trim();
  const journals = [...readJournals(directory).values()];
  const running = journals.filter((journal) => ['live', 'unseen'].includes(standingOf(journal)));
  const [count, limit] = ['count', 'max'].map((name) => read(`net/netfilter/nf_conntrack_${name}`));
  return {
    settings: settingsFor({ interfaces, families: new Set([4, 6]), localSource }, read),
    reliedOn: new Set(running.flatMap(({ reliesOn }) => reliesOn)),
    writable: machine.canWrite('/proc/sys/net/ipv4/ip_forward'),
    sharedPorts: snatPorts === undefined ? [] : overlapWithLocalPorts(snatPorts, read),
    reservedPorts: read('net/ipv4/ip_local_reserved_ports') ?? '',
    tracking: count === undefined ? undefined : { count: Number(count), limit: Number(limit) },
  };
}
