import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rules } from '../kernel/support/descriptions.ts';
import { inWords } from '../kernel/support/selector-words.ts';

const vip = { address: '192.0.2.10', protocol: 'tcp', port: 80 } as const;
const dns = { address: '192.0.2.10', protocol: 'udp', port: 53 } as const;
const backend = { address: '10.0.2.9', protocol: 'tcp', port: 8080 } as const;

const rows = [
  {
    name: 'a service with SNAT: requests, answers, errors over either, echo requests and fragments',
    rules: rules({ vips: [vip], snatAddresses: ['10.0.0.1'] }),
    selectors: [
      'ports destination 192.0.2.10 tcp 80-80 → 0',
      'ports destination 10.0.0.1 tcp 20000-29999 → 0',
      'error quoted source 192.0.2.10 tcp 80-80 → 0',
      'error quoted source 10.0.0.1 tcp 20000-29999 → 0',
      'echo 192.0.2.10 → 0',
      'fragments destination 192.0.2.10 tcp → 0',
      'fragments destination 192.0.2.10 icmp → 0',
      'fragments destination 10.0.0.1 tcp → 0',
    ],
  },
  {
    name: 'a service without SNAT: answers come from its backends, errors go to clients',
    rules: rules({ vips: [vip], routedBackends: [backend] }),
    selectors: [
      'ports destination 192.0.2.10 tcp 80-80 → 0',
      'ports source 10.0.2.9 tcp 8080-8080 → 0',
      'error quoted source 192.0.2.10 tcp 80-80 → 0',
      'error quoted destination 10.0.2.9 tcp 8080-8080 → 0',
      'echo 192.0.2.10 → 0',
      'fragments destination 192.0.2.10 tcp → 0',
      'fragments destination 192.0.2.10 icmp → 0',
      'fragments source 10.0.2.9 tcp → 0',
    ],
  },
  {
    name: 'two services of one address: what concerns the address is there once',
    rules: rules({ vips: [vip, dns] }),
    selectors: [
      'ports destination 192.0.2.10 tcp 80-80 → 0',
      'ports destination 192.0.2.10 udp 53-53 → 0',
      'error quoted source 192.0.2.10 tcp 80-80 → 0',
      'error quoted source 192.0.2.10 udp 53-53 → 0',
      'echo 192.0.2.10 → 0',
      'fragments destination 192.0.2.10 tcp → 0',
      'fragments destination 192.0.2.10 udp → 0',
      'fragments destination 192.0.2.10 icmp → 0',
    ],
  },
  {
    name: 'two workers: requests by a hash over the client, answers by port, no fragments',
    rules: rules({
      vips: [vip],
      snatAddresses: ['10.0.0.1'],
      snatPorts: [
        [20_000, 24_999],
        [25_000, 29_999],
      ],
      routedBackends: [backend],
      workers: 2,
    }),
    selectors: [
      'ports destination 192.0.2.10 tcp 80-80 → source-client',
      'ports destination 10.0.0.1 tcp 20000-24999 → 0',
      'ports destination 10.0.0.1 tcp 25000-29999 → 1',
      'ports source 10.0.2.9 tcp 8080-8080 → destination-client',
      'error quoted source 192.0.2.10 tcp 80-80 → destination-client',
      'error quoted source 10.0.0.1 tcp 20000-24999 → 0',
      'error quoted source 10.0.0.1 tcp 25000-29999 → 1',
      'error quoted destination 10.0.2.9 tcp 8080-8080 → source-client',
      'echo 192.0.2.10 → source-client',
    ],
  },
];

describe('the packets that come to the queues of mode nat', () => {
  for (const { name, rules, selectors } of rows) {
    it(`${name}`, () => {
      assert.deepEqual(rules.selectors.map(inWords), selectors);
    });
  }

  it('are told apart by family', () => {
    const families = rules({ vips: [vip, { ...vip, address: '2001:db8::10' }] }).selectors.map(
      ({ address, family }) => [address, family],
    );
    for (const [address, family] of families) assert.equal(family, address === '192.0.2.10' ? 4 : 6);
  });
});
