/**
 * The kernel settings that decide whether rewritten packets live, as data: for the set-up, which writes those that are
 * wrong, and for `doctor`, which shows them. Of a network namespace; nothing is asked that is right already.
 *
 *   forwarding      per interface for IPv4, for all of them for IPv6, where there is no other way
 *   rp_filter       the higher of `all` and the interface's counts; 1 drops what comes in with one of our addresses
 *   accept_local    without it, such a source is a martian: dropped before any log
 *   send_redirects  `all` or the interface's; would tell hosts of our link to go round us
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ExitCode, SluiceError } from '../../model/errors.ts';

const root = '/proc/sys/';

export interface Setting {
  /** Below /proc/sys: `net/ipv4/conf/eth0/rp_filter`. */
  readonly path: string;
  readonly current: string;
  readonly wanted: string;
  /** What goes wrong otherwise. */
  readonly why: string;
}

export interface SettingsNeeded {
  readonly interfaces: readonly string[];
  readonly families: ReadonlySet<4 | 6>;
  /** Whether a packet that has been rewritten may carry an IPv4 address of this machine's as its source. */
  readonly localSource: boolean;
}

/** The value of a setting; undefined if this kernel does not have it. */
export type ReadSetting = (path: string) => string | undefined;

/** What the kernel says now, below /proc/sys: `net/ipv4/ip_forward`. */
export function readSetting(path: string): string | undefined {
  try {
    return readFileSync(root + path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Interfaces that packets may come by, also those that are down as yet, which `os.networkInterfaces` would hide. */
export function interfaceNames(): readonly string[] {
  return readdirSync(`${root}net/ipv4/conf`).filter((name) => !['all', 'default', 'lo'].includes(name));
}

/** Every setting that matters, right or wrong, in the order in which they are to be written. */
export function settingsFor(needed: SettingsNeeded, read: ReadSetting = readSetting): readonly Setting[] {
  const settings: Setting[] = [];
  const want = (path: string, why: string, wanted: (current: string) => string): void => {
    const current = read(path);
    if (current !== undefined) settings.push({ path, current, wanted: wanted(current), why });
  };
  if (needed.families.has(4)) {
    const ofAll = Number(read('net/ipv4/conf/all/rp_filter') ?? 0);
    want('net/ipv4/conf/all/send_redirects', redirects, () => '0');
    for (const name of needed.interfaces) {
      const conf = `net/ipv4/conf/${name}`;
      want(`${conf}/forwarding`, 'packets for backends are not sent on', () => '1');
      want(`${conf}/send_redirects`, redirects, () => '0');
      want(`${conf}/rp_filter`, 'rewritten packets fail the reverse path test', (current) =>
        // Loose: `all` cannot be undercut, only overruled.
        Math.max(ofAll, Number(current)) === 1 ? '2' : current,
      );
      if (needed.localSource) want(`${conf}/accept_local`, 'rewritten packets are martians', () => '1');
    }
  }
  if (needed.families.has(6)) {
    const host = read('net/ipv6/conf/all/forwarding') === '0';
    for (const name of needed.interfaces) {
      want(
        `net/ipv6/conf/${name}/accept_ra`,
        'a router advertised default route goes with forwarding',
        (ra) => (host && ra === '1' ? '2' : ra),
      );
    }
    want('net/ipv6/conf/all/forwarding', 'packets for backends are not sent on', () => '1');
  }
  return settings;
}

const redirects = 'hosts of the same link are told to go round the balancer';

/** A setting in the notation of sysctl(8), where dots and slashes change places. */
export function sysctlName(path: string): string {
  return path.replace(/[./]/g, (sign) => (sign === '/' ? '.' : '/'));
}

/** The command that sets it. */
export function sysctlCommand({ path, wanted }: Pick<Setting, 'path' | 'wanted'>): string {
  return `sysctl -w ${sysctlName(path)}=${wanted}`;
}

/** Writes a setting and reads it back, because the kernel may say yes and not do it. Throws ERR_SLUICE_SYSCTL. */
export function writeSetting(path: string, value: string): void {
  let cause: unknown;
  try {
    writeFileSync(root + path, value);
  } catch (error) {
    cause = error;
  }
  const now = readSetting(path);
  if (now === value) return;
  const reason = cause instanceof Error && 'code' in cause ? `: ${cause.code}` : '';
  throw new SluiceError(
    'ERR_SLUICE_SYSCTL',
    `${path} stays ${now ?? 'absent'}${reason}, and has to be ${value}`,
    {
      exitCode: ExitCode.missing,
      remedy: `run as root: ${sysctlCommand({ path, wanted: value })}`,
      cause,
    },
  );
}
