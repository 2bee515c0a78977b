import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nftRemoval, nftRules } from '../../../lib/datapath/kernel/nft-rules.ts';
import { tunnelError } from '../../../lib/datapath/kernel/selectors.ts';
import { rules } from './support/descriptions.ts';

describe('rules for nft', () => {
  it('are one script that replaces the whole table, whether there is one or not', () => {
    assert.equal(
      nftRules('web', rules({ snatAddresses: ['10.0.0.1'] })),
      `table inet sluice-web {
}
delete table inet sluice-web
table inet sluice-web {
  chain worker-0 {
    notrack
    queue num 100
  }
  chain select {
    ip daddr 192.0.2.10 tcp dport 80 goto worker-0
    ip daddr 10.0.0.1 tcp dport 20000-29999 goto worker-0
    ip daddr 192.0.2.10 icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45 @th,136,8 6 @th,224,16 80 goto worker-0
    ip daddr 10.0.0.1 icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45 @th,136,8 6 @th,224,16 20000-29999 goto worker-0
    ip daddr 192.0.2.10 icmp type echo-request goto worker-0
    ip daddr 192.0.2.10 meta l4proto tcp ip frag-off & 0x3fff != 0 goto worker-0
    ip daddr 192.0.2.10 meta l4proto icmp ip frag-off & 0x3fff != 0 goto worker-0
    ip daddr 10.0.0.1 meta l4proto tcp ip frag-off & 0x3fff != 0 goto worker-0
  }
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    iifname "lo" return
    jump select
  }
  chain output {
    type filter hook output priority raw; policy accept;
    jump select
  }
}
`,
    );
  });

  it('are taken away by a script that works whether there are any or not', () => {
    assert.equal(nftRemoval('web'), 'table inet sluice-web {\n}\ndelete table inet sluice-web\n');
  });

  it('select the same in IPv6', () => {
    const script = nftRules(
      'web',
      rules({
        vips: [{ address: '2001:db8::10', protocol: 'udp', port: 53 }],
        routedBackends: [{ address: 'fd00::9', protocol: 'udp', port: 5353 }],
      }),
    );
    const selected = script.split('\n').filter((line) => line.includes('goto'));
    assert.deepEqual(
      selected.map((line) => line.trim()),
      [
        'ip6 daddr 2001:db8::10 udp dport 53 goto worker-0',
        'ip6 saddr fd00::9 udp sport 5353 goto worker-0',
        'ip6 daddr 2001:db8::10 icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } @th,112,8 17 @th,384,16 53 goto worker-0',
        'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } @th,112,8 17 @th,256,128 0xfd000000000000000000000000000009 @th,400,16 5353 goto worker-0',
        'ip6 daddr 2001:db8::10 icmpv6 type echo-request goto worker-0',
        'ip6 daddr 2001:db8::10 meta l4proto udp exthdr frag exists goto worker-0',
        'ip6 daddr 2001:db8::10 meta l4proto ipv6-icmp exthdr frag exists goto worker-0',
        'ip6 saddr fd00::9 meta l4proto udp exthdr frag exists goto worker-0',
      ],
    );
  });

  it('look for tunnels in ICMP errors to an address or a network', () => {
    const selectors = [tunnelError('10.7.0.0/24', 47), tunnelError('fd07::1', 41)];
    const script = nftRules('web/dsr', { ...rules(), selectors });
    assert.match(script, /^table inet sluice-web\/dsr \{$/m);
    assert.match(
      script,
      /^ {4}ip daddr 10\.7\.0\.0\/24 icmp type \{ destination-unreachable, time-exceeded, parameter-problem \} @th,64,8 0x45 @th,136,8 47 goto worker-0$/m,
    );
    assert.match(
      script,
      /^ {4}ip6 daddr fd07::1 icmpv6 type \{ destination-unreachable, packet-too-big, time-exceeded, parameter-problem \} @th,112,8 41 goto worker-0$/m,
    );
  });

  it('let packets pass when nobody reads the queue, if so asked', () => {
    assert.match(nftRules('web', rules({ onFailure: 'bypass' })), /^ {4}queue num 100 bypass$/m);
  });

  it('spread clients over several workers by a hash, without a mark', () => {
    const script = nftRules('web', rules({ workers: 2 }));
    assert.match(script, /ip daddr 192\.0\.2\.10 tcp dport 80 goto spread-source-client-4$/m);
    assert.match(
      script,
      /chain spread-source-client-4 \{\n {4}jhash ip saddr \. th sport mod 2 seed 0x1234 vmap \{ 0 : goto worker-0, 1 : goto worker-1 \}\n/,
    );
    assert.match(script, /chain worker-1 \{\n {4}notrack\n {4}queue num 101\n/);
    assert.doesNotMatch(script, /mark/);
  });
});
