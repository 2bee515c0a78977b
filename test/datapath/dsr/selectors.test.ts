import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dsrSelectors } from '../../../lib/datapath/dsr/selectors.ts';
import { inWords } from '../kernel/support/selector-words.ts';

const vip = { address: '192.0.2.10', protocol: 'tcp', port: 80 } as const;

describe('the packets that come to the queues of mode dsr', () => {
  it('are requests, errors over answers and over tunnels, echo requests and fragments', () => {
    const tunnelSources = [
      { network: '10.0.0.1', encapsulation: 'gre' },
      { network: '10.7.0.0/24', encapsulation: 'ipip' },
    ] as const;
    assert.deepEqual(dsrSelectors({ vips: [vip], tunnelSources, workers: 1 }).map(inWords), [
      'ports destination 192.0.2.10 tcp 80-80 → 0',
      'error quoted source 192.0.2.10 tcp 80-80 → 0',
      'tunnel-error 10.0.0.1 protocol 47 → 0',
      'tunnel-error 10.7.0.0/24 protocol 4 → 0',
      'tunnel-error 10.7.0.0/24 protocol 41 → 0',
      'echo 192.0.2.10 → 0',
      'fragments destination 192.0.2.10 tcp → 0',
      'fragments destination 192.0.2.10 icmp → 0',
    ]);
  });

  it('come to two workers by a hash over the client, and without fragments', () => {
    const tunnelSources = [{ network: '10.0.0.1', encapsulation: 'gre' }] as const;
    assert.deepEqual(dsrSelectors({ vips: [vip], tunnelSources, workers: 2 }).map(inWords), [
      'ports destination 192.0.2.10 tcp 80-80 → source-client',
      'error quoted source 192.0.2.10 tcp 80-80 → destination-client',
      'tunnel-error 10.0.0.1 protocol 47 → 0',
      'echo 192.0.2.10 → source-client',
    ]);
  });

  it('have no tunnel in them where there is none', () => {
    const selectors = dsrSelectors({
      vips: [vip],
      tunnelSources: [{ network: '10.0.0.1', encapsulation: 'l2' }],
      workers: 1,
    });
    assert.ok(selectors.every(({ kind }) => kind !== 'tunnel-error'));
  });
});
