import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planTunnelEnd } from '../../../lib/tunnel-end/plan.ts';
import { iptablesTunnelRules } from '../../../lib/tunnel-end/rules/iptables.ts';
import { facts, spec } from '../machine.ts';

const toHere = '-m addrtype --dst-type LOCAL';

describe('tunnel rules for iptables', () => {
  it('mark who is welcome, and drop what comes out of a device without the mark or for no VIP', () => {
    const { rules } = planTunnelEnd(spec(), facts());
    const [raw, mangle] = iptablesTunnelRules('backend', rules, 4);
    assert.deepEqual(raw!.jumps, ['-A PREROUTING -j sluice-backend']);
    assert.deepEqual(raw!.rules, [
      `-A sluice-backend -s 10.0.0.1 -p 47 ${toHere} -j MARK --set-xmark 0x51cf0000/0xffff0000`,
      '-A sluice-backend -i sluice-gre -g sluice-backend/in',
      '-A sluice-backend/in -m mark ! --mark 0x51cf0000/0xffff0000 -j DROP',
      '-A sluice-backend/in -j MARK --set-xmark 0x0/0xffff0000',
      '-A sluice-backend/in -d 192.0.2.10/32 -j RETURN',
      '-A sluice-backend/in -j DROP',
    ]);
    assert.deepEqual(mangle!.jumps, ['-A OUTPUT -j sluice-backend/mss']);
    assert.deepEqual(mangle!.rules, [
      '-A sluice-backend/mss -s 192.0.2.10/32 -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j TCPMSS --set-mss 1436',
    ]);
  });

  it('queue what this process takes in, and drop the rest of its protocol later, when all have had theirs', () => {
    const { rules } = planTunnelEnd(spec(), facts({ canMake: () => false }));
    const [raw, mangle] = iptablesTunnelRules('backend', rules, 4);
    assert.deepEqual(raw!.jumps, [
      '-A PREROUTING -j sluice-backend/whole',
      '-A PREROUTING -j sluice-backend',
    ]);
    assert.deepEqual(raw!.rules, [
      `-A sluice-backend -s 10.0.0.1 -p 47 ${toHere} -g sluice-backend/0`,
      '-A sluice-backend/whole -s 255.255.255.255/32 -p tcp -m socket --nowildcard -j RETURN',
      '-A sluice-backend/0 -j NFQUEUE --queue-num 7',
    ]);
    assert.deepEqual(mangle!.rules[0], `-A sluice-backend -p 47 ${toHere} -j DROP`);
  });

  it('are none for a family that neither comes in nor goes out', () => {
    const { rules } = planTunnelEnd(spec(), facts());
    assert.deepEqual(iptablesTunnelRules('backend', rules, 6), []);
  });

  it('let nothing of IPv4 out of a device whose VIPs are IPv6', () => {
    const { rules } = planTunnelEnd(spec({ vips: ['2001:db8::10'], from: ['fd00::1'] }), facts());
    const [raw] = iptablesTunnelRules('backend', rules, 4);
    assert.deepEqual(raw!.rules.slice(-2), [
      '-A sluice-backend/in -j MARK --set-xmark 0x0/0xffff0000',
      '-A sluice-backend/in -j DROP',
    ]);
  });
});
