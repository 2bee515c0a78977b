import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endpointKey, splitEndpoint } from '../../lib/model/shown-endpoint.ts';

describe('an end of a flow as it is shown', () => {
  it('is an address and a port, or an address alone', () => {
    for (const [text, address, port] of [
      ['10.0.0.1:80', '10.0.0.1', 80],
      ['[fd00::1]:53', 'fd00::1', 53],
      ['10.0.0.1', '10.0.0.1', 0],
      ['fd00::1', 'fd00::1', 0],
      ['::1:80', '::1:80', 0],
      ['', '', 0],
    ] as const) {
      assert.deepEqual(splitEndpoint(text), { address, port }, text);
    }
  });

  it('sorts by address and then by port', () => {
    const sorted = ['9.0.0.1:9', '10.0.0.9:9', '10.0.0.9:80', '10.0.0.10:1', '[fd00::1]:1'];
    assert.deepEqual(
      sorted.toReversed().toSorted((one, other) => (endpointKey(one) < endpointKey(other) ? -1 : 1)),
      sorted,
    );
  });
});
