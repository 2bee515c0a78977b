import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { printTunnelEnd } from '../../../lib/tunnel-end/print/print.ts';
import { spec } from '../machine.ts';

const wishes = [
  spec(),
  spec({ vips: ['192.0.2.10', '2001:db8::10'], from: ['10.0.0.1', '10.0.1.0/24', 'fd00::1'] }),
  spec({ encapsulation: 'ipip', vips: ['2001:db8::10'] }),
  spec({ encapsulation: 'l2', from: [] }),
];

describe('the printed script', () => {
  it('is one that sh understands, files and all', () => {
    for (const wish of wishes) {
      execFileSync('sh', ['-n'], { input: printTunnelEnd(wish).shell });
    }
  });

  it('does what the plan says, in its order: rules, devices, settings, addresses', () => {
    const { shell } = printTunnelEnd(spec());
    const [, up] = /^up\(\) \{\n([^}]*)^\}/m.exec(shell)!;
    assert.equal(
      up,
      `  up_rules
  ip link show dev sluice-gre >/dev/null 2>&1 || ip link add sluice-gre type gre external
  sysctl -w net.ipv4.conf.sluice-gre.rp_filter=2 >/dev/null
  sysctl -w net.ipv6.conf.sluice-gre.disable_ipv6=1 >/dev/null
  ip address replace 192.0.0.8/32 scope link dev sluice-gre
  ip link set sluice-gre up
  [ -f /run/sluice-backend.sysctl ] || sysctl net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce >/run/sluice-backend.sysctl
  sysctl -w net.ipv4.conf.all.arp_ignore=1 >/dev/null
  sysctl -w net.ipv4.conf.all.arp_announce=2 >/dev/null
  ip address replace 192.0.2.10/32 dev lo
`,
    );
  });

  it('has no rules where there is nothing to rule', () => {
    const { shell } = printTunnelEnd(spec({ encapsulation: 'l2', from: [] }));
    assert.doesNotMatch(shell, /nft|iptables/);
  });

  it('is refused for what no device of the kernel can take in', () => {
    const wish = spec({ encapsulation: 'ipip', vips: ['2001:db8::10'], from: ['10.0.0.0/24'] });
    assert.throws(() => printTunnelEnd(wish), {
      code: 'ERR_SLUICE_USAGE',
      exitCode: 2,
      message: /IPv6 in IPv4 from a whole network/,
    });
  });
});

describe('the printed files', () => {
  it('are those of systemd-networkd and sysctl.d', () => {
    assert.deepEqual(printTunnelEnd(spec({ vips: ['192.0.2.10', '2001:db8::10'] })).files, {
      '/etc/systemd/network/50-sluice-gre.netdev': `[NetDev]
Name=sluice-gre
Kind=gre

[Tunnel]
External=yes
`,
      '/etc/systemd/network/50-sluice-gre.network': `[Match]
Name=sluice-gre

[Network]
LinkLocalAddressing=no

[Address]
Address=192.0.0.8/32
Scope=link
`,
      '/etc/systemd/network/50-sluice-lo.network': `[Match]
Name=lo

[Address]
Address=192.0.2.10/32

[Address]
Address=2001:db8::10/128
PreferredLifetime=0
`,
      '/etc/sysctl.d/50-sluice.conf': `net.ipv4.conf.all.arp_ignore = 1
net.ipv4.conf.all.arp_announce = 2
net.ipv4.conf.sluice-gre.rp_filter = 2
net.ipv6.conf.sluice-gre.disable_ipv6 = 0
`,
    });
  });

  it('have a remote where a device is for one source', () => {
    const { files } = printTunnelEnd(spec({ encapsulation: 'ipip', vips: ['2001:db8::10'] }));
    assert.match(
      files['/etc/systemd/network/50-sluice-sit0.netdev']!,
      /Kind=sit\n\n\[Tunnel\]\nIndependent=yes\nLocal=any\nRemote=10\.0\.0\.1\n/,
    );
  });
});
