import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { bindHandle } from '../../../lib/proxy/socket/node-bind.ts';

const onlyIpv6 = 1;

/** What a handle is asked for when `bind6` comes to `errno`. */
function asked(host: string, errno = 0): { calls: string[]; result: number } {
  const calls: string[] = [];
  const handle = {
    bind(...call: [string, number, number]) {
      calls.push(`bind ${call.join(' ')}`);
      return 0;
    },
    bind6(...call: [string, number, number]) {
      calls.push(`bind6 ${call.join(' ')}`);
      return errno;
    },
  };
  const result = bindHandle(handle, { host, port: 80 }, onlyIpv6);
  return { calls, result };
}

describe('binding a handle', () => {
  it('takes an address of either family as it is, IPv6 without IPv4', () => {
    assert.deepEqual(asked('192.0.2.1').calls, ['bind 192.0.2.1 80 0']);
    assert.deepEqual(asked('2001:db8::1').calls, [`bind6 2001:db8::1 80 ${onlyIpv6}`]);
    assert.deepEqual(asked('::').calls, [`bind6 :: 80 ${onlyIpv6}`]);
  });

  it('takes every address of both families on one socket', () => {
    assert.deepEqual(asked(''), { calls: ['bind6 :: 80 0'], result: 0 });
  });

  it('takes IPv4 alone on a machine that knows no IPv6', () => {
    const { calls, result } = asked('', -constants.errno.EAFNOSUPPORT);
    assert.deepEqual([calls, result], [['bind6 :: 80 0', 'bind 0.0.0.0 80 0'], 0]);
  });

  for (const code of ['EADDRINUSE', 'EACCES'] as const) {
    it(`does not hide ${code}`, () => {
      const errno = -constants.errno[code];
      assert.deepEqual(asked('', errno), { calls: ['bind6 :: 80 0'], result: errno });
    });
  }
});
