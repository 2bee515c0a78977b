/**
 * What a process has to be allowed, and the kernel has to have, before packets can be rewritten: exactly what is
 * missing, each with the way to get it. Root is not needed: CAP_NET_ADMIN and CAP_NET_RAW are.
 */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { ExitCode, SluiceError } from '../../model/errors.ts';

/** Something that stands in the way, and one sentence in the imperative on how to remove it. */
export interface Obstacle {
  readonly what: string;
  readonly fix: string;
}

/** Bit numbers of linux/capability.h. */
const capabilities = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n } as const;

const systemd = 'AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in its systemd unit';

/** From the text of /proc/self/status, what the process lacks. `uid` 0 hands its capabilities to what it starts. */
export function missingCapabilities(status: string, uid: number): readonly Obstacle[] {
  const effective = lacking(status, 'CapEff');
  if (effective.length > 0) {
    return [
      {
        what: `this process lacks ${effective.join(' and ')}`,
        fix:
          uid === 0
            ? 'start the container with --cap-add NET_ADMIN --cap-add NET_RAW'
            : `run it with sudo, or with ${systemd}`,
      },
    ];
  }
  const ambient = lacking(status, 'CapAmb');
  if (uid === 0 || ambient.length === 0) return [];
  // `setcap` on the program gives them to the program alone.
  return [
    {
      what: `the tools that it starts (nft, iptables, ip) would not inherit ${ambient.join(' and ')}`,
      fix: `make them ambient: ${systemd}, or setpriv --inh-caps +net_admin,+net_raw --ambient-caps +net_admin,+net_raw`,
    },
  ];
}

function lacking(status: string, set: 'CapEff' | 'CapAmb'): string[] {
  const bits = BigInt(`0x${new RegExp(`^${set}:\\s*([\\da-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return Object.entries(capabilities)
    .filter(([, bit]) => ((bits >> bit) & 1n) === 0n)
    .map(([name]) => name);
}

/** Everything that stands in the way of this very process; empty if nothing does, as far as can be known. */
export function obstacles({ queues = true } = {}): readonly Obstacle[] {
  if (process.platform !== 'linux') {
    return [
      { what: `packets are rewritten by Linux, and this is ${process.platform}`, fix: 'use sluice proxy' },
    ];
  }
  const missing = missingCapabilities(readFileSync('/proc/self/status', 'utf8'), process.geteuid!());
  return !queues || kernelHasQueues() ? missing : [...missing, noQueues];
}

const noQueues: Obstacle = {
  what: 'the kernel lacks NFQUEUE',
  fix: 'install the module nfnetlink_queue (linux-modules-extra, or kernel-modules-extra), or another kernel',
};

/** False if it surely has none. A module is loaded when it is first asked for, so its absence says nothing. */
function kernelHasQueues(): boolean {
  if (existsSync('/proc/self/net/netfilter/nfnetlink_queue')) return true;
  const modules = `/lib/modules/${release()}`;
  if (!existsSync(`${modules}/modules.dep`)) return true;
  return ['modules.dep', 'modules.builtin'].some((file) =>
    readFileSync(`${modules}/${file}`, 'utf8').includes('/nfnetlink_queue.ko'),
  );
}

/**
 * Throws ERR_SLUICE_PRIVILEGES, exit code 4, with the first obstacle's way out. Whoever changes the machine and queues no
 * packets needs no `queues`.
 */
export function requirePrivileges({ queues = true } = {}): void {
  const [first, ...others] = obstacles({ queues });
  if (first === undefined) return;
  throw new SluiceError('ERR_SLUICE_PRIVILEGES', [first, ...others].map(({ what }) => what).join('; '), {
    exitCode: ExitCode.missing,
    remedy: [first, ...others].map(({ fix }) => fix).join('; '),
  });
}
