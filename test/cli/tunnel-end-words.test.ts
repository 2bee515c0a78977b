import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readyEvent, readyLine } from '../../lib/cli/tunnel-end-words.ts';
import { planTunnelEnd } from '../../lib/tunnel-end/plan.ts';
import { facts, spec } from '../tunnel-end/machine.ts';

const both = spec({ vips: ['192.0.2.10', '2001:db8::10'], from: ['10.0.0.1', 'fd00::1'] });

describe('what sluice backend says when it is ready', () => {
  it('is a line for people: the VIPs, the tunnels, and who takes them in', () => {
    const line = readyLine(planTunnelEnd(both, facts({ canMake: ({ type }) => type[0] === 'gre' })));
    assert.equal(
      line,
      'sluice: ready, 192.0.2.10 (segments of 1416 bytes), 2001:db8::10 (segments of 1396 bytes), ' +
        'gre from 10.0.0.1 taken in by the kernel, gre from fd00::1 taken in by sluice',
    );
  });

  it('says nothing of tunnels and segments where there are none', () => {
    const plan = planTunnelEnd(spec({ encapsulation: 'l2', from: [] }), facts());
    assert.equal(readyLine(plan), 'sluice: ready, 192.0.2.10');
    assert.deepEqual(readyEvent(plan), {
      event: 'ready',
      vips: [{ address: '192.0.2.10', mss: null }],
      tunnels: [],
    });
  });

  it('is an event for scripts', () => {
    const { tunnels } = readyEvent(planTunnelEnd({ ...both, encapsulation: 'ipip' }, facts()));
    assert.deepEqual(tunnels, [
      { from: '10.0.0.1', outer: 'ipv4', protocol: 'ipv4 in ip', by: 'kernel' },
      { from: '10.0.0.1', outer: 'ipv4', protocol: 'ipv6 in ip', by: 'kernel' },
      { from: 'fd00::1', outer: 'ipv6', protocol: 'ipv4 in ip', by: 'kernel' },
      { from: 'fd00::1', outer: 'ipv6', protocol: 'ipv6 in ip', by: 'kernel' },
    ]);
  });
});
