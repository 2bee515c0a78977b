import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BackendPatch } from '../../lib/control/controllable.ts';
import { parsePatch } from '../../lib/control/patch.ts';

const patch: fc.Arbitrary<BackendPatch> = fc
  .record(
    {
      state: fc.constantFrom('enabled', 'draining', 'disabled'),
      weight: fc.integer({ min: 0, max: 65_535 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .filter((each) => Object.keys(each).length > 0);

describe('the body of a PATCH', () => {
  it('gives a state, a weight or both', () => {
    fc.assert(fc.property(patch, (each) => assert.deepEqual(parsePatch(JSON.stringify(each)), each)));
  });

  it('is refused as a whole for anything else', () => {
    const refused: readonly (readonly [body: string, message: string])[] = [
      ['', 'the body is not JSON'],
      ['{"weight":1', 'the body is not JSON'],
      ['null', 'the body is not a JSON object'],
      ['[]', 'the body is not a JSON object'],
      ['"draining"', 'the body is not a JSON object'],
      ['{}', 'there is nothing to change'],
      ['{"weight":1,"name":"x"}', 'unknown field "name"'],
      ['{"weight":1,"__proto__":{}}', 'unknown field "__proto__"'],
      ['{"state":"up"}', 'state "up" is unknown'],
      ['{"state":null}', 'state null is unknown'],
      ['{"weight":-1}', 'weight -1 is out of range'],
      ['{"weight":65536}', 'weight 65536 is out of range'],
      ['{"weight":1.5}', 'weight 1.5 is out of range'],
      ['{"weight":"1"}', 'weight "1" is out of range'],
      ['{"weight":1,"state":"gone"}', 'state "gone" is unknown'],
    ];
    for (const [body, message] of refused) {
      assert.throws(() => parsePatch(body), { code: 'ERR_SLUICE_USAGE', exitCode: 2, message });
    }
  });

  it('never makes it throw anything but a usage error', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ state: fc.jsonValue(), weight: fc.jsonValue() }).map((each) => JSON.stringify(each)),
    );
    fc.assert(
      fc.property(anything, (body) => {
        try {
          parsePatch(body);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'ERR_SLUICE_USAGE');
        }
      }),
    );
  });
});
