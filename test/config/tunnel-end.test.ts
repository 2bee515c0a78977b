import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TunnelEndArguments, tunnelEndFromArguments } from '../../lib/config/tunnel-end.ts';

const least: TunnelEndArguments = { vips: ['192.0.2.10'], from: '10.0.0.1' };

describe('the arguments of sluice backend', () => {
  it('ask for GRE from a balancer and segments that fit, unless they say otherwise', () => {
    assert.deepEqual(tunnelEndFromArguments(least), {
      name: 'backend',
      vips: ['192.0.2.10'],
      encapsulation: 'gre',
      from: ['10.0.0.1'],
      mss: 'auto',
    });
  });

  it('can say all that the command line has a flag for', () => {
    assert.deepEqual(
      tunnelEndFromArguments({
        vips: ['192.0.2.10', '[2001:DB8:0::10]', '2001:db8::10'],
        from: '10.0.0.1,10.0.1.77/24,FD00::1,10.0.0.1',
        encap: 'ipip',
        mss: '1300',
        name: 'edge',
      }),
      {
        name: 'edge',
        vips: ['192.0.2.10', '2001:db8::10'],
        encapsulation: 'ipip',
        from: ['10.0.0.1', '10.0.1.0/24', 'fd00::1'],
        mss: 1300,
      },
    );
    assert.equal(tunnelEndFromArguments({ ...least, mss: 'off' }).mss, 'off');
    const l2 = tunnelEndFromArguments({ vips: ['192.0.2.10'], encap: 'l2' });
    assert.deepEqual([l2.encapsulation, l2.from], ['l2', []]);
  });

  for (const [what, change, message, remedy] of [
    [
      'a VIP with a port',
      { vips: ['192.0.2.10:80'] },
      /"192.0.2.10:80" is not the address of a VIP/,
      /without protocol and port/,
    ],
    ['a name', { vips: ['web.internal'] }, /"web.internal" is not the address/, /as in 192.0.2.10/],
    [
      'a VIP that nobody can reach',
      { vips: ['127.0.0.1'] },
      /127.0.0.1 cannot be a VIP: .* loopback/,
      /address that clients use/,
    ],
    [
      'a tunnel from anywhere',
      { from: undefined },
      /--from is missing: anyone could send/,
      /--from 10.0.0.1,10.0.0.2/,
    ],
    [
      'a source that is none',
      { from: '10.0.0.1,lb-1' },
      /"lb-1" is not where tunnels come from/,
      /ADDRESS\/BITS/,
    ],
    ['a source without a tunnel', { encap: 'l2' }, /--from has no meaning with --encap l2/, /leave it out/],
    ['a name with a space', { name: 'web 1' }, /"web 1" is not a name/, /letters, digits/],
    ['a segment too small', { mss: '100' }, /"100" is not a segment size/, /from 536 to 65495, or off/],
    ['a segment that is no number', { mss: 'on' }, /"on" is not a segment size/, /or off/],
  ] as const) {
    it(`may not have ${what}`, () => {
      assert.throws(() => tunnelEndFromArguments({ ...least, ...change }), { exitCode: 2, message, remedy });
    });
  }
});
