/** What the checks say of machines that nobody can make a test machine into: other kernels, other cards, other distributions. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkIpTool,
  checkPacketQueue,
  checkRawSockets,
  checkRuleTool,
  checkSpreading,
  checkTunnelDevices,
} from '../../../lib/doctor/checks/kernel.ts';
import { checkLeftovers } from '../../../lib/doctor/checks/leftovers.ts';
import { checkOffloads } from '../../../lib/doctor/checks/offloads.ts';
import { checkSettings } from '../../../lib/doctor/checks/settings.ts';
import { checkTracking } from '../../../lib/doctor/checks/tracking.ts';
import type { Facts } from '../../../lib/doctor/facts.ts';
import { caseOf, told, well } from '../well.ts';

const kernel = (parts: Partial<Facts['kernel']>) => caseOf('nat', { kernel: { ...well.kernel, ...parts } });

describe('the packet queue', () => {
  const row = (parts: Partial<Facts['kernel']>) => {
    const [finding] = checkPacketQueue(kernel(parts));
    return [finding!.verdict, finding!.fix ?? finding!.advice];
  };

  it('is a module that was not loaded', () => {
    assert.deepEqual(row({ queueError: 'ERR_NFQ_UNSUPPORTED' }), ['fault', 'modprobe nfnetlink_queue']);
  });

  it('is in a package of modules', () => {
    const parts = { queueError: 'ERR_NFQ_UNSUPPORTED', hasQueueModule: false };
    assert.deepEqual(row(parts), [
      'fault',
      'apt-get install -y linux-modules-extra-6.1.0-18-amd64 && modprobe nfnetlink_queue',
    ]);
    assert.deepEqual(row({ ...parts, distributions: ['rocky', 'rhel'] }), [
      'fault',
      'dnf install -y kernel-modules-extra-6.1.0-18-amd64 && modprobe nfnetlink_queue',
    ]);
    assert.deepEqual(row({ ...parts, distributions: ['nixos'] }), [
      'fault',
      'use a kernel that has CONFIG_NETFILTER_NETLINK_QUEUE',
    ]);
  });

  it('has no native code on a machine that none was made for', () => {
    assert.equal(row({ queueError: 'ERR_NFQ_NO_BINARY' })[0], 'fault');
  });

  it('cannot be tried without the right to', () => {
    assert.equal(row({ queueError: 'ERR_NFQ_NOT_PERMITTED' })[0], 'moot');
  });
});

describe('the tools', () => {
  it('are installed as the distribution does it', () => {
    for (const [distributions, rules, ip] of [
      [['ubuntu', 'debian'], 'apt-get install -y nftables', 'apt-get install -y iproute2'],
      [['fedora'], 'dnf install -y nftables', 'dnf install -y iproute'],
      [['alpine'], 'apk add nftables', 'apk add iproute2'],
      [['arch'], 'pacman -S --noconfirm nftables', 'pacman -S --noconfirm iproute2'],
      [['opensuse-leap', 'suse'], 'zypper install -y nftables', 'zypper install -y iproute2'],
    ] as const) {
      const parts = { distributions, ruleTool: undefined, tools: new Set<never>() };
      assert.equal(checkRuleTool(kernel({ ...parts, ruleComplaint: 'nft: not found' }))[0]!.fix, rules);
      assert.equal(checkIpTool(kernel(parts))[0]!.fix, ip);
    }
  });

  it('are the other ones where the kernel lacks what the first need', () => {
    const lacking = {
      ruleTool: undefined,
      ruleComplaint: 'nft: Could not process rule: No such file or directory',
    };
    assert.equal(
      checkRuleTool(kernel({ ...lacking, tools: new Set(['nft']) }))[0]!.fix,
      'apt-get install -y iptables',
    );
    const [finding] = checkRuleTool(kernel(lacking));
    assert.deepEqual([finding!.fix, finding!.verdict], [undefined, 'fault']);
    assert.match(finding!.advice!, /^use a kernel with nft_queue/);
  });
});

describe('several workers', () => {
  const verdict = (workers: number | undefined) =>
    checkSpreading(
      caseOf(
        'nat',
        { kernel: { ...well.kernel, canSpread: false } },
        {},
        workers === undefined ? {} : { workers },
      ),
    ).map((finding) => finding.verdict);

  it('take more of the kernel than one', () => {
    assert.deepEqual(verdict(2), ['fault']);
    assert.deepEqual(verdict(1), ['warning']);
    assert.deepEqual(verdict(undefined), ['warning']);
  });
});

describe('raw sockets', () => {
  it('take native code, and a right', () => {
    const verdict = (rawSocketError: string | undefined) =>
      checkRawSockets(kernel({ rawSocketError })).map((finding) => finding.verdict);
    assert.deepEqual(verdict(undefined), ['ok']);
    assert.deepEqual(verdict('ERR_SOCKETS_NO_BINARY'), ['fault']);
    assert.deepEqual(verdict('ERR_SOCKETS_NOT_PERMITTED'), ['moot']);
  });
});

describe('a tunnel device', () => {
  const backend = (parts: Partial<Facts['kernel']>) =>
    told(checkTunnelDevices(caseOf('backend', { kernel: { ...well.kernel, ...parts } })));

  it('may be missing: sluice does it itself', () => {
    const none = { gre: false, ip6gre: false, ipip: undefined, ip6tnl: undefined };
    assert.deepEqual(backend({ tunnels: none, hasTun: false }), [
      'ok: sluice takes packets out of GRE itself',
      'moot: cannot be tried without CAP_SYS_ADMIN',
      'warning: /dev/net/tun cannot be opened, which IPv6 in IPv4 and IPv4 in IPv6 take',
    ]);
  });
});

describe('a setting', () => {
  const check = (parts: Partial<Facts['settings']>) => {
    const settings = [
      { path: 'net/ipv4/conf/eth0/rp_filter', current: '1', wanted: '2', why: 'packets are lost' },
      { path: 'net/ipv4/conf/eth1.7/rp_filter', current: '2', wanted: '2', why: '' },
    ];
    const [finding] = checkSettings(caseOf('nat', { settings: { ...well.settings, settings, ...parts } }));
    return finding!;
  };

  it('will be set, unless nobody may', () => {
    assert.deepEqual(told([check({})]), ['ok: eth0 1 → 2: will be set']);
    const sealed = check({ writable: false });
    assert.deepEqual(told([sealed]), ['fault: eth0 1 → 2, and cannot be set from here; packets are lost']);
    assert.equal(sealed.fix, 'sysctl -w net.ipv4.conf.eth0.rp_filter=2');
  });

  it('was set back if an instance relies on it', () => {
    const reliedOn = new Set(['net/ipv4/conf/eth0/rp_filter']);
    assert.equal(check({ reliedOn }).verdict, 'fault');
  });

  it('is no more than what else a user may not do', () => {
    const process = { ...well.process, uid: 1_000, status: 'CapEff:\t0\n' };
    const settings = { ...well.settings, writable: false };
    assert.deepEqual(
      checkSettings(caseOf('nat', { process, settings })).map(({ verdict }) => verdict),
      ['ok'],
    );
  });
});

describe('connection tracking', () => {
  const verdict = (tracking: Facts['settings']['tracking']) =>
    checkTracking(caseOf('proxy', { settings: { ...well.settings, tracking } })).map(({ verdict, fix }) => [
      verdict,
      fix,
    ]);

  it('drops what is new once its table is full', () => {
    const fix = 'sysctl -w net.netfilter.nf_conntrack_max=4000';
    assert.deepEqual(verdict({ count: 1_000, limit: 1_000 }), [['fault', fix]]);
    assert.deepEqual(verdict({ count: 800, limit: 1_000 }), [['warning', fix]]);
    assert.deepEqual(verdict({ count: 799, limit: 1_000 }), [['ok', undefined]]);
    assert.deepEqual(verdict(undefined), [['moot', undefined]]);
  });
});

describe('large receive offload', () => {
  const links = [{ name: 'eth0', mtu: 1_500, addresses: [], mergesPackets: true }];
  const withForwarding = (current: string) => ({
    ...well.settings,
    settings: [{ path: 'net/ipv4/conf/eth0/forwarding', current, wanted: '1', why: '' }],
  });

  it('loses packets where it was turned on again', () => {
    const [finding] = checkOffloads(caseOf('nat', { links, settings: withForwarding('1') }));
    assert.deepEqual([finding!.verdict, finding!.fix], ['fault', 'ethtool -K eth0 lro off']);
  });

  it('is turned off by the kernel when forwarding begins', () => {
    const [finding] = checkOffloads(caseOf('nat', { links, settings: withForwarding('0') }));
    assert.equal(finding!.verdict, 'ok');
  });
});

describe('leftovers', () => {
  it('of instances that are known are theirs', () => {
    const ours = new Map([['sluice-web', 'nft delete table inet sluice-web']]);
    const rules = { chains: [], ours };
    const answeredFor = new Set(['sluice-web']);
    assert.deepEqual(
      told(checkLeftovers(caseOf('nat', { rules, leftovers: { ...well.leftovers, answeredFor } }))),
      ['ok: none'],
    );
    assert.deepEqual(
      checkLeftovers(caseOf('nat', { rules })).map(({ fix }) => fix),
      ['nft delete table inet sluice-web'],
    );
  });

  it('of a network that is gone are but files', () => {
    const [finding] = checkLeftovers(caseOf('nat', { leftovers: { ...well.leftovers, void: 2 } }));
    assert.deepEqual([finding!.verdict, finding!.fix], ['warning', 'sluice doctor --clean']);
  });
});
