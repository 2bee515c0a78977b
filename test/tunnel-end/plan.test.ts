import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MachineFacts } from '../../lib/tunnel-end/plan.ts';
import { crossesFamilies, planTunnelEnd } from '../../lib/tunnel-end/plan.ts';
import { facts, spec } from './machine.ts';

const vip4 = '192.0.2.10';
const vip6 = '2001:db8::10';

/** What would be written, of the settings of a plan. */
function written(wish: Parameters<typeof planTunnelEnd>[0], known: MachineFacts): Record<string, string> {
  const { settings } = planTunnelEnd(wish, known);
  return Object.fromEntries(
    settings.filter(({ current, wanted }) => current !== wanted).map(({ path, wanted }) => [path, wanted]),
  );
}

describe('a plan for the end of tunnels', () => {
  it('puts the VIPs on lo', () => {
    assert.deepEqual(planTunnelEnd(spec({ vips: [vip4, vip6] }), facts()).addresses, [
      { interface: 'lo', address: vip4 },
      { interface: 'lo', address: vip6 },
    ]);
  });

  it('has one GRE device of the kernel for each family that tunnels come from, whatever is inside', () => {
    const wish = spec({ vips: [vip4, vip6], from: ['10.0.0.1', '10.0.1.0/24', 'fd00::1'] });
    const { devices, own, rules } = planTunnelEnd(wish, facts());
    assert.deepEqual(devices, [
      { name: 'sluice-gre', type: ['gre', 'external'], inner: [4, 6] },
      { name: 'sluice-gre6', type: ['ip6gre', 'external'], inner: [4, 6] },
    ]);
    assert.deepEqual(own, []);
    assert.deepEqual(rules, {
      vips: [vip4, vip6],
      admitted: [
        { family: 4, protocol: 47, from: '10.0.0.1' },
        { family: 4, protocol: 47, from: '10.0.1.0/24' },
        { family: 6, protocol: 47, from: 'fd00::1' },
      ],
      devices: ['sluice-gre', 'sluice-gre6'],
      queued: [],
      queue: undefined,
      segmentSizes: [
        { vip: vip4, mss: 1_416 },
        { vip: vip6, mss: 1_396 },
      ],
    });
  });

  it('has devices of several kinds for IP in IP, where each protocol stands for one family', () => {
    const wish = spec({
      encapsulation: 'ipip',
      vips: [vip4, vip6],
      from: ['10.0.0.1', '10.0.0.2', 'fd00::1'],
    });
    assert.deepEqual(planTunnelEnd(wish, facts()).devices, [
      { name: 'sluice-ipip', type: ['ipip', 'external'], inner: [4] },
      { name: 'sluice-sit0', type: ['sit', 'mode', 'ip6ip', 'remote', '10.0.0.1'], inner: [6] },
      { name: 'sluice-sit1', type: ['sit', 'mode', 'ip6ip', 'remote', '10.0.0.2'], inner: [6] },
      { name: 'sluice-ip6tnl', type: ['ip6tnl', 'external'], inner: [4, 6] },
    ]);
  });

  it('leaves to this process what the kernel has no device for, and nothing else', () => {
    const wish = spec({ vips: [vip4], from: ['10.0.0.1', 'fd00::1'] });
    const plan = planTunnelEnd(wish, facts({ canMake: ({ type }) => type[0] === 'gre' }));
    assert.deepEqual(
      plan.devices.map(({ name }) => name),
      ['sluice-gre'],
    );
    assert.deepEqual(plan.own, [{ outer: 6, protocol: 47, inner: [4], from: ['fd00::1'] }]);
    assert.deepEqual(plan.rules.admitted, [{ family: 4, protocol: 47, from: '10.0.0.1' }]);
    assert.deepEqual(plan.rules.queued, [{ family: 6, protocol: 47, from: 'fd00::1' }]);
    assert.equal(plan.rules.queue, 7);
    assert.equal(crossesFamilies(plan), true);
  });

  it('leaves to this process IPv6 in IPv4 from a network, which sit cannot take in', () => {
    const wish = spec({ encapsulation: 'ipip', vips: [vip4, vip6], from: ['10.0.0.0/24'] });
    const { devices, own } = planTunnelEnd(wish, facts());
    assert.deepEqual(
      devices.map(({ name }) => name),
      ['sluice-ipip'],
    );
    assert.deepEqual(own, [{ outer: 4, protocol: 41, inner: [6], from: ['10.0.0.0/24'] }]);
  });

  it('needs no other device where inside and outside are of one family', () => {
    const none = facts({ canMake: () => false });
    assert.equal(crossesFamilies(planTunnelEnd(spec(), none)), false);
    assert.equal(crossesFamilies(planTunnelEnd(spec({ vips: [vip6] }), none)), true);
  });

  it('has no tunnel and no segment size for l2', () => {
    const { rules, devices, own } = planTunnelEnd(spec({ encapsulation: 'l2', from: [] }), facts());
    assert.deepEqual([rules.admitted, rules.queued, rules.segmentSizes], [[], [], []]);
    assert.deepEqual([devices, own], [[], []]);
  });

  it('tells clients what fits through the narrowest tunnel, or what was asked for, or nothing', () => {
    const from = ['10.0.0.1', '10.0.0.2'];
    const narrow = facts({ mtuFrom: (network) => (network === '10.0.0.2' ? 1_400 : 1_500) });
    const sizes = (change: Parameters<typeof spec>[0]): number[] =>
      planTunnelEnd(spec({ vips: [vip4, vip6], from, ...change }), narrow).rules.segmentSizes.map(
        ({ mss }) => mss,
      );
    assert.deepEqual(sizes({}), [1_336, 1_316]);
    assert.deepEqual(sizes({ encapsulation: 'ipip' }), [1_340, 1_320]);
    assert.deepEqual(sizes({ mss: 1_200 }), [1_200, 1_200]);
    assert.deepEqual(sizes({ mss: 'off' }), []);
    assert.deepEqual(sizes({ encapsulation: 'l2', from: [], mss: 1_200 }), [1_200, 1_200]);
  });

  it('keeps ARP quiet about VIPs of IPv4, and leaves what is quiet enough', () => {
    const arp = 'net/ipv4/conf/all/arp_';
    assert.deepEqual(written(spec(), facts()), { [`${arp}ignore`]: '1', [`${arp}announce`]: '2' });
    assert.deepEqual(written(spec(), facts({ read: () => '2' })), {});
    assert.deepEqual(written(spec({ vips: [vip6] }), facts()), {});
  });

  it('has lo take IPv6', () => {
    const path = 'net/ipv6/conf/lo/disable_ipv6';
    const read = (asked: string): string => (asked === path ? '1' : '2');
    assert.deepEqual(written(spec({ vips: [vip6] }), facts({ read })), { [path]: '0' });
  });

  it('makes the reverse path test loose where packets come in without a device of the kernel', () => {
    const path = 'net/ipv4/conf/eth0/rp_filter';
    for (const strict of [path, 'net/ipv4/conf/all/rp_filter']) {
      const read = (asked: string): string => (asked === strict ? '1' : asked.includes('arp') ? '2' : '0');
      assert.deepEqual(written(spec(), facts({ read })), {});
      assert.deepEqual(written(spec(), facts({ read, canMake: () => false })), { [path]: '2' });
      assert.deepEqual(written(spec({ encapsulation: 'l2', from: [] }), facts({ read })), { [path]: '2' });
    }
  });

  it('relies on settings that are right, too', () => {
    const { settings } = planTunnelEnd(spec(), facts({ read: () => '2' }));
    assert.deepEqual(
      settings.map(({ path }) => path),
      ['net/ipv4/conf/all/arp_ignore', 'net/ipv4/conf/all/arp_announce'],
    );
  });
});
