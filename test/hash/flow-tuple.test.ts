import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatFlowTuple, parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import { ExitCode, SluiceError } from '../../lib/model/errors.ts';

describe('a flow in words', () => {
  it('is read, and written as it was', () => {
    const flow = parseFlowTuple(['udp', '[2001:db8::7]:40000', '[2001:DB8::0:10]:53']);
    assert.deepEqual(flow, {
      protocol: 'udp',
      clientAddress: '2001:db8::7',
      clientPort: 40_000,
      vipAddress: '2001:db8::10',
      vipPort: 53,
    });
    assert.deepEqual(parseFlowTuple(formatFlowTuple(flow)), flow);
  });

  it('is TCP unless it says so', () => {
    const words = ['198.51.100.7:40000', '192.0.2.10:80'];
    assert.equal(parseFlowTuple(words).protocol, 'tcp');
    assert.deepEqual(formatFlowTuple(parseFlowTuple(words)), ['tcp', ...words]);
  });

  const mistakes = {
    'the client is missing': [],
    'the VIP is missing': ['tcp', '198.51.100.7:40000'],
    'unexpected "x"': ['tcp', '198.51.100.7:40000', '192.0.2.10:80', 'x'],
    'the port is missing': ['198.51.100.7', '192.0.2.10:80'],
    '"web.internal" is not an IP address': ['198.51.100.7:1', 'web.internal:80'],
    'are of two families': ['198.51.100.7:1', '[2001:db8::10]:80'],
    'unexpected "192.0.2.10:80"': ['icmp', '198.51.100.7:1', '192.0.2.10:80'],
  };
  for (const [message, words] of Object.entries(mistakes)) {
    it(`is refused when ${message}`, () => {
      assert.throws(
        () => parseFlowTuple(words),
        (error) =>
          error instanceof SluiceError &&
          error.exitCode === ExitCode.usage &&
          error.message.includes(message),
      );
    });
  }
});
