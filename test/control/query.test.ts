import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatFlowQuery, parseFlowQuery, parseWhole } from '../../lib/control/query.ts';
import { parseFlowFilter } from '../../lib/model/flow-filter.ts';
import type { FlowQuery } from '../../lib/model/flow-query.ts';

const read = (text: string) => parseFlowQuery(new URLSearchParams(text));

describe('the query of a question for flows', () => {
  it('arrives as it was sent', () => {
    const queries: FlowQuery[] = [
      { limit: 0, reverse: false, rates: false },
      {
        limit: 100_000,
        sort: 'rate-in',
        reverse: true,
        filter: parseFlowFilter('client:10.0.0.0/8 a&b=c +'),
        rates: true,
      },
    ];
    for (const query of queries) assert.deepEqual(read(formatFlowQuery(query)), query);
  });

  it('is for the oldest 1000 where nothing is said', () => {
    assert.deepEqual(read(''), { limit: 1_000, reverse: false, rates: false });
  });

  it('is refused where a parameter is unknown or has a value that it does not take', () => {
    for (const text of [
      'limit=x',
      'limit=100001',
      'sort=size',
      'reverse=yes',
      'rates=2',
      'filter=port:x',
      'order=1',
    ]) {
      assert.throws(() => read(text), { code: 'ERR_SLUICE_USAGE' }, text);
    }
  });
});

describe('a whole number in a query', () => {
  it('is what it is said to be unless given', () => {
    assert.equal(parseWhole(new URLSearchParams(''), 'after', 3), 3);
    assert.equal(parseWhole(new URLSearchParams('after=17'), 'after', 3), 17);
    for (const text of ['after=', 'after=-1', 'after=x']) {
      assert.throws(() => parseWhole(new URLSearchParams(text), 'after', 3), { code: 'ERR_SLUICE_USAGE' });
    }
  });
});
