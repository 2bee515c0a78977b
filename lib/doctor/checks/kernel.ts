/** Whether the kernel and the tools of the machine can do what the mode asks of them. */
import type { Case } from '../check.ts';
import { type Finding, fault, moot, ok, warning } from '../finding.ts';
import { installCommand } from '../install-command.ts';

const rebuild = { advice: 'in a clone, install a C compiler and run npm ci again' };

/** The queue that packets come to user space by, and the native code that reads it. */
export function checkPacketQueue({ facts }: Case): readonly Finding[] {
  const { queueError, hasQueueModule, distributions, release } = facts.kernel;
  switch (queueError) {
    case undefined:
      return [ok('packet-queue', 'NFQUEUE is there, and the native code that reads it')];
    case 'ERR_NFQ_NO_BINARY':
      return [fault('packet-queue', `there is no native code for this machine (${process.arch})`, rebuild)];
    case 'ERR_NFQ_NOT_PERMITTED':
      return [moot('packet-queue', 'cannot be tried without CAP_NET_ADMIN')];
    default:
      return [
        fault(
          'packet-queue',
          'the kernel lacks NFQUEUE',
          hasQueueModule
            ? { fix: 'modprobe nfnetlink_queue' }
            : moduleRemedy(installCommand(distributions, 'kernel-modules', release)),
        ),
      ];
  }
}

function moduleRemedy(install: string | undefined): { fix: string } | { advice: string } {
  return install === undefined
    ? { advice: 'use a kernel that has CONFIG_NETFILTER_NETLINK_QUEUE' }
    : { fix: `${install} && modprobe nfnetlink_queue` };
}

/** nft or iptables, together with what they need of the kernel. */
export function checkRuleTool({ facts }: Case): readonly Finding[] {
  const { ruleTool, ruleComplaint, tools, distributions } = facts.kernel;
  if (ruleTool !== undefined) return [ok('rule-tool', ruleTool)];
  if (/not permitted|Permission denied|must be root/i.test(ruleComplaint)) {
    return [moot('rule-tool', 'cannot be tried without CAP_NET_ADMIN')];
  }
  const missing = (['nft', 'iptables'] as const).filter((tool) => !tools.has(tool));
  const install = missing.length === 0 ? undefined : installCommand(distributions, missing[0]!);
  return [
    fault(
      'rule-tool',
      ruleComplaint,
      install === undefined
        ? { advice: 'use a kernel with nft_queue, or with xt_NFQUEUE, xt_CT and xt_u32' }
        : { fix: install },
    ),
  ];
}

/** What it takes to have more than one worker. */
export function checkSpreading({ facts, asked }: Case): readonly Finding[] {
  const { ruleTool, canSpread } = facts.kernel;
  if (ruleTool === undefined) return [moot('spreading', 'takes a tool for rules')];
  if (canSpread) return [ok('spreading', 'packets can be spread over several workers')];
  const wayOut = {
    advice: 'use one worker, or a kernel with nft_hash and nft_tproxy, or with xt_HMARK and xt_socket',
  };
  const detail = 'packets cannot be spread over several workers';
  const { workers = 1 } = asked;
  return [workers > 1 ? fault('spreading', detail, wayOut) : warning('spreading', detail, wayOut)];
}

/** Raw sockets, for what does not go back to the kernel's queue. */
export function checkRawSockets({ facts }: Case): readonly Finding[] {
  switch (facts.kernel.rawSocketError) {
    case undefined:
      return [ok('raw-sockets', 'raw sockets, and the native code that sends by them')];
    case 'ERR_SOCKETS_NO_BINARY':
      return [fault('raw-sockets', `there is no native code for this machine (${process.arch})`, rebuild)];
    default:
      return [moot('raw-sockets', 'cannot be tried without CAP_NET_RAW')];
  }
}

/** ip(8), for addresses and routes. */
export function checkIpTool({ facts }: Case): readonly Finding[] {
  const { tools, distributions } = facts.kernel;
  if (tools.has('ip')) return [ok('ip-tool', 'ip')];
  const install = installCommand(distributions, 'ip');
  return [
    fault(
      'ip-tool',
      'ip is not installed',
      install === undefined ? { advice: 'install iproute2' } : { fix: install },
    ),
  ];
}

/** Who takes packets out of their tunnels on a backend: the kernel where it can, else sluice. */
export function checkTunnelDevices({ facts }: Case): readonly Finding[] {
  const { tunnels, hasTun } = facts.kernel;
  const findings = (
    [
      ['gre-device', 'GRE', tunnels.gre],
      ['ipip-device', 'IP-in-IP', tunnels.ipip],
    ] as const
  ).map(([check, name, has]) => {
    if (has === undefined) return moot(check, 'cannot be tried without CAP_SYS_ADMIN');
    return ok(
      check,
      has ? `the kernel takes packets out of ${name}` : `sluice takes packets out of ${name} itself`,
    );
  });
  const tun = hasTun
    ? ok('tun-device', '/dev/net/tun, for IPv6 in IPv4 and IPv4 in IPv6')
    : warning('tun-device', '/dev/net/tun cannot be opened, which IPv6 in IPv4 and IPv4 in IPv6 take', {
        fix: 'mkdir -p /dev/net && mknod -m 666 /dev/net/tun c 10 200',
      });
  return [...findings, tun];
}
