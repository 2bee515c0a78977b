import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reasonOf, UnwellError } from '../../lib/health/reason.ts';

const withCode = (code: unknown, message = 'a long text that varies'): Error =>
  Object.assign(new Error(message), { code });

describe('the reason of a failure', () => {
  const rows: readonly (readonly [error: unknown, reason: string])[] = [
    [withCode('ECONNREFUSED'), 'connection refused'],
    [withCode('ECONNRESET'), 'connection reset'],
    [withCode('UND_ERR_SOCKET'), 'connection closed'],
    [withCode('ETIMEDOUT'), 'timed out'],
    [withCode('EHOSTUNREACH'), 'host unreachable'],
    [withCode('ENOTFOUND'), 'name not found'],
    [Object.assign(withCode('HPE_INVALID_CONSTANT'), { name: 'HTTPParserError' }), 'answer is not HTTP'],
    [Object.assign(withCode(undefined), { name: 'HTTPParserError' }), 'answer is not HTTP'],
    [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'TLS handshake failed'],
    [withCode('ESOMETHINGNEW'), 'ESOMETHINGNEW'],
    [withCode(20, 'no code of the system'), 'no code of the system'],
    [new UnwellError('status 503'), 'status 503'],
    [new Error('no code'), 'no code'],
    ['not even an error', 'not even an error'],
  ];
  for (const [error, reason] of rows) {
    it(`is "${reason}" for ${String((error as { code?: unknown }).code ?? error)}`, () =>
      assert.equal(reasonOf(error), reason));
  }
});
