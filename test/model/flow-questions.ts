/** Questions for flows of the test networks 10.0.0.0/8 and fd00::/8, at random. */
import fc from 'fast-check';
import { parseFlowFilter } from '../../lib/model/flow-filter.ts';
import { type FlowQuery, flowSorts } from '../../lib/model/flow-query.ts';

const words = [
  ...['10.0.0.0/8', '10.0.0.1', 'client:10.0.0.0/30', 'fd00::/8', 'backend:10.0.1.2', 'vip:fd00::1', ':80'],
  ...['port:2', 'client::1', '10.0.1.1:80', 'established', 'closing', 'connecting', 'tcp', 'udp'],
  ...['web', 'service:dns', 'backend:b', 'nothing-like-it'],
];

export const flowQuestions: fc.Arbitrary<FlowQuery> = fc
  .record({
    limit: fc.nat(20),
    sort: fc.constantFrom(...flowSorts.filter((sort) => !sort.startsWith('rate'))),
    reverse: fc.boolean(),
    words: fc.array(fc.constantFrom(...words), { maxLength: 2 }),
  })
  .map(({ words: chosen, ...query }) => ({ ...query, filter: parseFlowFilter(chosen.join(' ')) }));
