import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromProblem, httpStatusOf, toProblem } from '../../lib/control/problem.ts';
import { ExitCode, SluiceError, type SluiceErrorOptions } from '../../lib/model/errors.ts';

const error = fc
  .tuple(
    fc.string(),
    fc.record(
      { remedy: fc.string(), place: fc.string(), exitCode: fc.constantFrom(...Object.values(ExitCode)) },
      { requiredKeys: [] },
    ),
  )
  .map(([message, options]) => new SluiceError('ERR_SLUICE_ANY', message, options));

const told = ({ code, message, remedy, place, exitCode }: SluiceError) => ({
  code,
  message,
  remedy,
  place,
  exitCode,
});

describe('an error on its way through the control socket', () => {
  it('arrives as it was', () => {
    fc.assert(
      fc.property(error, (sent) => {
        const received = fromProblem(JSON.parse(JSON.stringify(toProblem(sent))));
        assert.ok(received instanceof SluiceError);
        assert.deepEqual(told(received), told(sent));
      }),
    );
  });

  it('is made of nothing else', () => {
    for (const document of [
      undefined,
      null,
      1,
      'x',
      [],
      {},
      { error: 'no' },
      { error: { code: 'ENOENT' } },
    ]) {
      assert.equal(fromProblem(document), undefined);
    }
  });

  it('has the HTTP status that says whose fault it is', () => {
    const status = (code: SluiceError['code'], options?: SluiceErrorOptions) =>
      httpStatusOf(new SluiceError(code, '', options));
    assert.equal(status('ERR_SLUICE_USAGE', { exitCode: ExitCode.usage }), 400);
    assert.equal(status('ERR_SLUICE_NO_SUCH_BACKEND'), 404);
    assert.equal(status('ERR_SLUICE_BUSY'), 409);
    assert.equal(status('ERR_SLUICE_CONFIG', { exitCode: ExitCode.configInvalid }), 422);
    assert.equal(status('ERR_SLUICE_ADDRESS_IN_USE'), 500);
  });
});
