import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planTunnelEnd } from '../../../lib/tunnel-end/plan.ts';
import { nftTunnelRules } from '../../../lib/tunnel-end/rules/nft.ts';
import { facts, spec } from '../machine.ts';

const replaced = 'table inet sluice-backend {\n}\ndelete table inet sluice-backend\n';

describe('tunnel rules for nft', () => {
  it('mark who is welcome, and drop what comes out of a device without the mark or for no VIP', () => {
    const { rules } = planTunnelEnd(spec({ vips: ['192.0.2.10', '2001:db8::10'] }), facts());
    assert.equal(
      nftTunnelRules('backend', rules),
      `${replaced}table inet sluice-backend {
  chain arriving {
    meta mark & 0xffff0000 != 0x51cf0000 counter drop
    meta mark set meta mark & 0xffff
    ip daddr 192.0.2.10 return
    ip6 daddr 2001:db8::10 return
    counter drop
  }
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    ip saddr 10.0.0.1 meta l4proto 47 fib daddr type local meta mark set meta mark & 0xffff | 0x51cf0000
    iifname "sluice-gre" goto arriving
  }
  chain output {
    type filter hook output priority mangle; policy accept;
    ip saddr 192.0.2.10 tcp flags & (syn | ack) == syn | ack tcp option maxseg size > 1436 tcp option maxseg size set 1436
    ip6 saddr 2001:db8::10 tcp flags & (syn | ack) == syn | ack tcp option maxseg size > 1416 tcp option maxseg size set 1416
  }
}
`,
    );
  });

  it('queue what this process takes in, and drop the rest of its protocol later, when all have had theirs', () => {
    const { rules } = planTunnelEnd(spec({ mss: 'off' }), facts({ canMake: () => false }));
    assert.equal(
      nftTunnelRules('backend', rules),
      `${replaced}table inet sluice-backend {
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    ip saddr 255.255.255.255 meta l4proto tcp tproxy ip to :1
    ip6 saddr ff02::1 meta l4proto tcp tproxy ip6 to :1
    ip saddr 10.0.0.1 meta l4proto 47 fib daddr type local queue num 7
  }
  chain strangers {
    type filter hook prerouting priority mangle; policy accept;
    meta nfproto ipv4 meta l4proto 47 fib daddr type local counter drop
  }
}
`,
    );
  });
});
