/** What the kernel can do and which tools there are to tell it, found out by asking for it. */
import { chooseRuleTool } from '../../datapath/kernel/choose-tool.ts';
import { CommandError } from '../../datapath/kernel/command.ts';
import type { RuleToolName } from '../../datapath/kernel/rule-tool.ts';
import { SluiceError } from '../../model/errors.ts';
import type { Machine } from '../machine.ts';

export interface KernelFacts {
  readonly release: string;
  /** The ID and ID_LIKE of /etc/os-release, the nearest first: `ubuntu`, `debian`. */
  readonly distributions: readonly string[];
  /** Why a packet queue could not be had; undefined if it could. */
  readonly queueError: string | undefined;
  /** Whether there is a module for the queues that is not loaded. */
  readonly hasQueueModule: boolean;
  /** Those of the tools that are there. */
  readonly tools: ReadonlySet<Tool>;
  /** The tool that can bring our rules in; undefined if none can, and why. */
  readonly ruleTool: RuleToolName | undefined;
  readonly ruleComplaint: string;
  /** Whether it, or another, can spread packets over several workers. */
  readonly canSpread: boolean;
  /** Why a raw socket could not be had; undefined if it could. */
  readonly rawSocketError: string | undefined;
  /** Kinds of tunnel device that the kernel has; undefined where that could not be tried. */
  readonly tunnels: Readonly<Record<TunnelKind, boolean | undefined>>;
  /** Whether a TUN device can be opened. */
  readonly hasTun: boolean;
}

const tools = ['ip', 'nft', 'iptables'] as const;
export type Tool = (typeof tools)[number];

const tunnelKinds = ['gre', 'ip6gre', 'ipip', 'ip6tnl'] as const;
export type TunnelKind = (typeof tunnelKinds)[number];

export async function readKernelFacts(machine: Machine): Promise<KernelFacts> {
  const release = machine.read('/proc/sys/kernel/osrelease')?.trim() ?? '';
  const [queueError, rawSocketError, rules, present, tunnels] = await Promise.all([
    machine.tryQueue(),
    machine.tryRawSocket(),
    tryRuleTool(machine),
    Promise.all(tools.map((tool) => isThere(tool, machine))),
    Promise.all(tunnelKinds.map(async (kind) => [kind, await hasTunnel(kind, machine)] as const)),
  ]);
  return {
    release,
    distributions: distributionsOf(machine.read('/etc/os-release') ?? ''),
    queueError,
    hasQueueModule: (machine.read(`/lib/modules/${release}/modules.dep`) ?? '').includes(
      '/nfnetlink_queue.ko',
    ),
    tools: new Set(tools.filter((_, index) => present[index])),
    ...rules,
    rawSocketError,
    tunnels: Object.fromEntries(tunnels) as KernelFacts['tunnels'],
    hasTun: machine.canWrite('/dev/net/tun'),
  };
}

type RuleToolFacts = Pick<KernelFacts, 'ruleTool' | 'ruleComplaint' | 'canSpread'>;

async function tryRuleTool({ run }: Machine): Promise<RuleToolFacts> {
  const canSpread = await chooseRuleTool(run, { several: true }).then(
    () => true,
    () => false,
  );
  try {
    return { ruleTool: (await chooseRuleTool(run)).name, ruleComplaint: '', canSpread };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return { ruleTool: undefined, ruleComplaint: error.message, canSpread };
  }
}

async function isThere(tool: Tool, { run }: Machine): Promise<boolean> {
  try {
    await run(tool, ['-V']);
    return true;
  } catch (error) {
    return !(error instanceof CommandError && error.missing);
  }
}

/** Makes a device in a network namespace of its own, which goes away with it. */
async function hasTunnel(kind: TunnelKind, { run }: Machine): Promise<boolean | undefined> {
  const [local, remote] = kind.includes('6') ? ['2001:db8::1', '2001:db8::2'] : ['192.0.2.1', '192.0.2.2'];
  const device = ['ip', 'link', 'add', 'sluice0', 'type', kind, 'local', local!, 'remote', remote!];
  try {
    await run('unshare', ['--net', ...device]);
    return true;
  } catch (error) {
    const isUnknown = /Unknown device type|not supported/i.test(String(error));
    return isUnknown ? false : undefined;
  }
}

function distributionsOf(osRelease: string): string[] {
  return ['ID', 'ID_LIKE'].flatMap((key) => {
    const value = new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
    return value.split(' ').filter(Boolean);
  });
}
