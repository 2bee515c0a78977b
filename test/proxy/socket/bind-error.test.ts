import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindError } from '../../../lib/proxy/socket/bind-error.ts';

function said(code: string, host = '127.0.0.1') {
  const error = bindError('tcp', { host, port: 80 }, code);
  return { code: error.code, exitCode: error.exitCode, text: `${error.message}; ${error.remedy}` };
}

describe('a listener that cannot be had', () => {
  it('says that the address is in use, and how to find by whom', () => {
    assert.deepEqual(said('EADDRINUSE', '::1'), {
      code: 'ERR_SLUICE_ADDRESS_IN_USE',
      exitCode: 1,
      text: "tcp://[::1]:80 is already in use; stop what listens there (ss -lnp 'sport = :80' shows it) or choose another port",
    });
  });

  it('says that a privilege is missing', () => {
    const { code, exitCode } = said('EACCES');
    assert.deepEqual([code, exitCode], ['ERR_SLUICE_ADDRESS_FORBIDDEN', 4]);
  });

  it('says that the address is elsewhere', () => {
    assert.equal(said('EADDRNOTAVAIL').code, 'ERR_SLUICE_ADDRESS_NOT_LOCAL');
  });

  it('gives the code of whatever else it is', () => {
    const { code, text } = said('EINVAL', '');
    assert.equal(code, 'ERR_SLUICE_BIND');
    assert.match(text, /^tcp:\/\/:80 cannot be bound \(EINVAL\); /);
  });
});
