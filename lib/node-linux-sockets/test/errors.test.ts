import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rawSocketError, tunError } from '../lib/errors.ts';
import { LinuxSocketError, RawSocket, Tun } from '../lib/index.ts';

const { errno } = constants;

describe('a refusal', () => {
  for (const [what, error, code] of [
    ['of a raw socket', rawSocketError(-errno.EPERM), 'ERR_SOCKETS_NOT_PERMITTED'],
    ['of a raw socket', rawSocketError(-errno.EAFNOSUPPORT), 'ERR_SOCKETS_UNSUPPORTED'],
    ['of a raw socket', rawSocketError(-errno.EMFILE), 'ERR_SOCKETS_SYSTEM'],
    ['of a TUN device', tunError('tun0', -errno.EPERM), 'ERR_SOCKETS_NOT_PERMITTED'],
    ['of a TUN device', tunError('tun0', -errno.EACCES), 'ERR_SOCKETS_NOT_PERMITTED'],
    ['of a TUN device', tunError('tun0', -errno.EBUSY), 'ERR_SOCKETS_BUSY'],
    ['of a TUN device', tunError('tun0', -errno.ENOENT), 'ERR_SOCKETS_UNSUPPORTED'],
    ['of a TUN device', tunError('tun0', -errno.ENODEV), 'ERR_SOCKETS_UNSUPPORTED'],
    ['of a TUN device', tunError('tun0', -errno.ENOMEM), 'ERR_SOCKETS_SYSTEM'],
  ] as const) {
    it(`${what} with ${error.errno} has code ${code}`, () => {
      assert.ok(error instanceof LinuxSocketError);
      assert.equal(error.code, code);
    });
  }

  const skip = process.getuid?.() !== 0 && 'only root can give root up';
  it('meets those who lack the capability', { skip }, () => {
    const fixture = fileURLToPath(new URL('./fixtures/unprivileged.ts', import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, fixture], {
      encoding: 'utf8',
    });
    assert.equal(
      stdout,
      'ERR_SOCKETS_NOT_PERMITTED\nERR_SOCKETS_NOT_PERMITTED\nERR_SOCKETS_NOT_PERMITTED\n',
      stderr,
    );
  });
});

describe('an argument out of range', () => {
  for (const [shown, attempt] of [
    ['a mark of -1', () => new RawSocket(4, { mark: -1 })],
    ['a mark of 33 bits', () => new RawSocket(4, { mark: 2 ** 32 })],
    ['a send buffer of nothing', () => new RawSocket(4, { sendBufferBytes: 0 })],
    ['an MTU of 67', () => new Tun('tun0', { mtu: 67 })],
    ['a name of 16 bytes', () => new Tun('abcdefghijklmnop')],
    ['no name', () => new Tun('')],
    ['a name with a slash', () => new Tun('a/b')],
  ] as const) {
    it(`is refused: ${shown}`, () => {
      assert.throws(attempt, { code: 'ERR_SOCKETS_ARGUMENT' });
    });
  }
});
