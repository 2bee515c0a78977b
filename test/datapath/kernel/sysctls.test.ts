import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SettingsNeeded, settingsFor, sysctlCommand } from '../../../lib/datapath/kernel/sysctls.ts';

const host: Readonly<Record<string, string>> = {
  'net/ipv4/conf/all/rp_filter': '0',
  'net/ipv4/conf/all/send_redirects': '1',
  'net/ipv4/conf/eth0/rp_filter': '0',
  'net/ipv4/conf/eth0/send_redirects': '1',
  'net/ipv4/conf/eth0/forwarding': '0',
  'net/ipv4/conf/eth0/accept_local': '0',
  'net/ipv6/conf/all/forwarding': '0',
  'net/ipv6/conf/eth0/accept_ra': '1',
};

/** What would be written, as `name=value` below net/ipv4/conf or net/ipv6/conf. */
function writes(current: Partial<typeof host>, needed: Partial<SettingsNeeded>): string[] {
  const machine: Readonly<Record<string, string | undefined>> = { ...host, ...current };
  return settingsFor(
    { interfaces: ['eth0'], families: new Set([4]), localSource: false, ...needed },
    (path) => machine[path],
  )
    .filter(({ current, wanted }) => current !== wanted)
    .map(({ path, wanted }) => `${path.replace(/^net\/ipv.\/conf\//, '')}=${wanted}`);
}

describe('settings of the kernel', () => {
  it('are forwarding, and no redirects, on a machine with defaults', () => {
    assert.deepEqual(writes({}, {}), ['all/send_redirects=0', 'eth0/forwarding=1', 'eth0/send_redirects=0']);
  });

  it('let packets in with a source that is local', () => {
    assert.ok(writes({}, { localSource: true }).includes('eth0/accept_local=1'));
  });

  for (const [all, own, wanted] of [
    ['0', '0', []],
    ['0', '1', ['eth0/rp_filter=2']],
    ['1', '0', ['eth0/rp_filter=2']],
    ['1', '1', ['eth0/rp_filter=2']],
    ['2', '1', []],
    ['0', '2', []],
    ['1', '2', []],
  ] as const) {
    it(`with rp_filter ${all} for all and ${own} for the interface: ${wanted[0] ?? 'nothing'}`, () => {
      const changed = writes(
        { 'net/ipv4/conf/all/rp_filter': all, 'net/ipv4/conf/eth0/rp_filter': own },
        {},
      ).filter((write) => write.includes('rp_filter'));
      assert.deepEqual(changed, wanted);
    });
  }

  it('keep router advertisements, before forwarding would have them ignored', () => {
    const needed = { families: new Set([6] as const) };
    assert.deepEqual(writes({}, needed), ['eth0/accept_ra=2', 'all/forwarding=1']);
    assert.deepEqual(writes({ 'net/ipv6/conf/eth0/accept_ra': '0' }, needed), ['all/forwarding=1']);
    assert.deepEqual(writes({ 'net/ipv6/conf/all/forwarding': '1' }, needed), []);
  });

  it('leave out what this kernel does not have', () => {
    assert.deepEqual(writes({ 'net/ipv4/conf/eth0/forwarding': undefined }, {}), [
      'all/send_redirects=0',
      'eth0/send_redirects=0',
    ]);
  });

  it('are named to a person as sysctl(8) does, dots in an interface’s name included', () => {
    const setting = { path: 'net/ipv4/conf/eth0.100/rp_filter', current: '1', wanted: '2', why: '' };
    assert.equal(sysctlCommand(setting), 'sysctl -w net.ipv4.conf.eth0/100.rp_filter=2');
  });
});
