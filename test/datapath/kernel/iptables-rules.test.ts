import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { iptablesRules } from '../../../lib/datapath/kernel/iptables-rules.ts';
import { tunnelError } from '../../../lib/datapath/kernel/selectors.ts';
import { rules } from './support/descriptions.ts';

const tcp4 = { address: '192.0.2.10', protocol: 'tcp', port: 80 } as const;
const udp6 = { address: '2001:db8::10', protocol: 'udp', port: 53 } as const;

describe('rules for iptables', () => {
  it('jump to a chain of ours from both hooks, and leave to OUTPUT what comes in by lo', () => {
    const [raw] = iptablesRules('web', rules(), 4);
    assert.deepEqual(raw!.jumps, ['-A PREROUTING ! -i lo -j sluice-web', '-A OUTPUT -j sluice-web']);
    assert.deepEqual(raw!.chains, ['sluice-web', 'sluice-web/0']);
  });

  it('select by address, protocol and ports, and look into ICMP errors, in IPv4', () => {
    const [raw, ...others] = iptablesRules('web', rules({ snatAddresses: ['10.0.0.1'] }), 4);
    assert.deepEqual(raw!.rules, [
      '-A sluice-web -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -g sluice-web/0',
      '-A sluice-web -d 10.0.0.1/32 -p tcp -m tcp --dport 20000:29999 -g sluice-web/0',
      '-A sluice-web -d 192.0.2.10/32 -p icmp -m u32 --u32 "0>>22&0x3C@0>>24=3,11,12&&0>>22&0x3C@16>>16&0xFF=6&&0>>22&0x3C@8>>22&0x3C@8>>16=80" -g sluice-web/0',
      '-A sluice-web -d 10.0.0.1/32 -p icmp -m u32 --u32 "0>>22&0x3C@0>>24=3,11,12&&0>>22&0x3C@16>>16&0xFF=6&&0>>22&0x3C@8>>22&0x3C@8>>16=20000:29999" -g sluice-web/0',
      '-A sluice-web -d 192.0.2.10/32 -p icmp -m icmp --icmp-type 8 -g sluice-web/0',
      '-A sluice-web -d 192.0.2.10/32 -p tcp -m u32 --u32 "4&0x3fff=1:0x3fff" -g sluice-web/0',
      '-A sluice-web -d 192.0.2.10/32 -p icmp -m u32 --u32 "4&0x3fff=1:0x3fff" -g sluice-web/0',
      '-A sluice-web -d 10.0.0.1/32 -p tcp -m u32 --u32 "4&0x3fff=1:0x3fff" -g sluice-web/0',
      '-A sluice-web/0 -j CT --notrack',
      '-A sluice-web/0 -j NFQUEUE --queue-num 100',
    ]);
    assert.deepEqual(others, []);
  });

  it('select the same in IPv6', () => {
    const backend = { address: 'fd00::9', protocol: 'udp', port: 5353 } as const;
    const [raw] = iptablesRules('web', rules({ vips: [udp6], routedBackends: [backend] }), 6);
    assert.deepEqual(raw!.rules, [
      '-A sluice-web -d 2001:db8::10/128 -p udp -m udp --dport 53 -g sluice-web/0',
      '-A sluice-web -s fd00::9/128 -p udp -m udp --sport 5353 -g sluice-web/0',
      '-A sluice-web -d 2001:db8::10/128 -p ipv6-icmp -m u32 --u32 "4>>8&0xFF=58&&40>>24=1:4&&52>>8&0xFF=17&&88>>16=53" -g sluice-web/0',
      '-A sluice-web -p ipv6-icmp -m u32 --u32 "4>>8&0xFF=58&&40>>24=1:4&&52>>8&0xFF=17&&72=0xfd000000&&76=0x0&&80=0x0&&84=0x9&&88&0xFFFF=5353" -g sluice-web/0',
      '-A sluice-web -d 2001:db8::10/128 -p ipv6-icmp -m icmp6 --icmpv6-type 128 -g sluice-web/0',
      '-A sluice-web -d 2001:db8::10/128 -p udp -m frag --fragid 0:4294967295 -g sluice-web/0',
      '-A sluice-web -d 2001:db8::10/128 -p ipv6-icmp -m frag --fragid 0:4294967295 -g sluice-web/0',
      '-A sluice-web -s fd00::9/128 -p udp -m frag --fragid 0:4294967295 -g sluice-web/0',
      '-A sluice-web/0 -j CT --notrack',
      '-A sluice-web/0 -j NFQUEUE --queue-num 100',
    ]);
  });

  it('look for tunnels in ICMP errors to an address or a network', () => {
    const selectors = [tunnelError('10.7.0.0/24', 47), tunnelError('fd07::1', 41)];
    const described = { ...rules(), selectors };
    const [raw4] = iptablesRules('web/dsr', described, 4);
    const [raw6] = iptablesRules('web/dsr', described, 6);
    assert.equal(
      raw4!.rules[0],
      '-A sluice-web/dsr -d 10.7.0.0/24 -p icmp -m u32 --u32 "0>>22&0x3C@0>>24=3,11,12&&0>>22&0x3C@16>>16&0xFF=47" -g sluice-web/dsr/0',
    );
    assert.equal(
      raw6!.rules[0],
      '-A sluice-web/dsr -d fd07::1/128 -p ipv6-icmp -m u32 --u32 "4>>8&0xFF=58&&40>>24=1:4&&52>>8&0xFF=41" -g sluice-web/dsr/0',
    );
  });

  it('are none for a family without a service', () => {
    assert.deepEqual(iptablesRules('web', rules({ vips: [tcp4] }), 6), []);
  });

  it('let packets pass when nobody reads the queue, if so asked', () => {
    const [raw] = iptablesRules('web', rules({ onFailure: 'bypass' }), 4);
    assert.equal(raw!.rules.at(-1), '-A sluice-web/0 -j NFQUEUE --queue-num 100 --queue-bypass');
  });

  it('spread clients over several workers by a mark, and take the mark off in the next table', () => {
    const [raw, mangle] = iptablesRules('web', rules({ workers: 2 }), 4);
    assert.deepEqual(raw!.jumps, [
      '-A PREROUTING -j sluice-web/whole',
      '-A PREROUTING ! -i lo -j sluice-web',
      '-A OUTPUT -j sluice-web',
    ]);
    assert.equal(raw!.rules[0], '-A sluice-web -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -g sluice-web/src');
    assert.deepEqual(
      raw!.rules.filter((rule) => /^-A sluice-web\/(src|whole|1)/.test(rule)),
      [
        '-A sluice-web/whole -s 255.255.255.255/32 -p tcp -m socket --nowildcard -j RETURN',
        '-A sluice-web/src -j HMARK --hmark-tuple src,sport --hmark-mod 2 --hmark-offset 0x51ce0001 --hmark-rnd 0x1234',
        '-A sluice-web/src -m mark --mark 0x51ce0001 -g sluice-web/0',
        '-A sluice-web/src -m mark --mark 0x51ce0002 -g sluice-web/1',
        '-A sluice-web/src -g sluice-web/0',
        '-A sluice-web/1 -j CT --notrack',
        '-A sluice-web/1 -j NFQUEUE --queue-num 101',
      ],
    );
    assert.deepEqual(mangle, {
      table: 'mangle',
      jumps: ['-A PREROUTING -j sluice-web', '-A OUTPUT -j sluice-web'],
      chains: ['sluice-web'],
      rules: ['-A sluice-web -m mark --mark 0x51ce0000/0xffff0000 -j MARK --set-xmark 0x0/0xffffffff'],
    });
  });
});
