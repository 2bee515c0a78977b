import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selectorOf, workerOf } from '../../../lib/datapath/kernel/selection.ts';
import type { Selector } from '../../../lib/datapath/kernel/selectors.ts';
import { natSelectors } from '../../../lib/datapath/nat/selectors.ts';
import { Outcome, Packet } from '../../../lib/packet/packet.ts';
import { parsePacket } from '../../../lib/packet/parse.ts';
import { type Craft, craft } from '../../packet/craft.ts';

const places = {
  vips: [
    { protocol: 'tcp', address: '192.0.2.10', port: 80 },
    { protocol: 'udp', address: '2001:db8::10', port: 53 },
  ],
  snatAddresses: ['10.0.0.1', 'fd00::1'],
  snatPorts: [
    [61_000, 61_999],
    [62_000, 62_999],
  ],
  routedBackends: [{ protocol: 'tcp', address: '10.0.0.9', port: 9_000 }],
  workers: 2,
} as const;

const several = natSelectors(places);
const single = natSelectors({ ...places, snatPorts: [[61_000, 62_999]], workers: 1 });

function parsed(what: Craft | Uint8Array): readonly [Packet, DataView] {
  const bytes = what instanceof Uint8Array ? what : craft(what);
  const packet = new Packet();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.equal(parsePacket(packet, view, 0, bytes.length), Outcome.ok);
  return [packet, view];
}

const choose = (selectors: readonly Selector[], what: Craft | Uint8Array): Selector | undefined =>
  selectorOf(selectors, ...parsed(what));

const client = { source: '198.51.100.7', sourcePort: 40_000 };
const toVip = { ...client, destination: '192.0.2.10', destinationPort: 80 };

describe('the rules, worked out for one packet', () => {
  it('take what goes to a VIP, and leave other ports and protocols alone', () => {
    assert.equal(choose(several, toVip)?.kind, 'ports');
    assert.equal(choose(several, { ...toVip, destinationPort: 81 }), undefined);
    assert.equal(choose(several, { ...toVip, protocol: 'udp' }), undefined);
    assert.equal(choose(several, { ...toVip, destination: '192.0.2.11' }), undefined);
    const six = { source: '2001:db8::7', destination: '2001:db8::10', sourcePort: 1, destinationPort: 53 };
    assert.equal(choose(several, { ...six, protocol: 'udp' })?.address, '2001:db8::10');
    assert.equal(choose(several, { ...six, protocol: 'tcp' }), undefined);
  });

  it('bring answers to whose ports they are', () => {
    const answer = { source: '10.0.0.2', sourcePort: 9_000, destination: '10.0.0.1' };
    const steers = [61_000, 61_999, 62_000, 62_999].map(
      (destinationPort) => choose(several, { ...answer, destinationPort })?.steer,
    );
    assert.deepEqual(steers, [0, 0, 1, 1]);
    assert.equal(choose(several, { ...answer, destinationPort: 60_999 }), undefined);
  });

  it('take answers of backends that see their clients', () => {
    const answer = { source: '10.0.0.9', sourcePort: 9_000, destination: '198.51.100.7', destinationPort: 1 };
    assert.equal(choose(several, answer)?.steer, 'destination-client');
  });

  it('take pings of a VIP, and errors over packets of ours', () => {
    const ping = { source: '198.51.100.7', destination: '192.0.2.10', protocol: 'icmp' } as const;
    assert.equal(choose(several, { ...ping, icmp: [8, 0] })?.kind, 'echo');
    assert.equal(choose(several, { ...ping, icmp: [0, 0] }), undefined);
    const quoted = craft({
      source: '10.0.0.1',
      sourcePort: 62_500,
      destination: '10.0.0.2',
      destinationPort: 9_000,
    });
    const error = { source: '10.0.0.2', destination: '10.0.0.1', protocol: 'icmp', payload: quoted } as const;
    const chosen = choose(several, { ...error, icmp: [3, 1], icmpRest: [0, 0, 0, 0] });
    assert.deepEqual([chosen?.kind, chosen?.steer], ['error', 1]);
    assert.equal(choose(several, { ...error, icmp: [5, 1], icmpRest: [0, 0, 0, 0] }), undefined);
  });

  it('take fragments where there is but one worker', () => {
    const fragment = {
      ...toVip,
      payload: new Uint8Array(64),
      fragment: { id: 1, from: 32 },
    };
    assert.equal(choose(single, fragment)?.kind, 'fragments');
    assert.equal(choose(several, fragment), undefined);
  });
});

describe('the worker that a client comes to', () => {
  const rules = { workers: 1_000, spreadSeed: 0x1234abcd };
  const steered = { kind: 'ports', end: 'destination', protocol: 'udp', ports: [9_999, 9_999] } as const;

  /** Of a client at this address and port; the first of the workers is 1, as the marks were. */
  function workersOf(tool: 'nft' | 'iptables', address: string): (number | undefined)[] {
    const family = address.includes(':') ? 6 : 4;
    const destination = family === 4 ? '127.0.0.1' : 'fd77::1';
    const selector = { ...steered, family, address: destination, steer: 'source-client' } as const;
    return [1_024, 5_353, 12_345, 40_000, 40_001, 65_535].map((sourcePort) => {
      const packet = parsed({
        source: address,
        sourcePort,
        destination,
        destinationPort: 9_999,
        protocol: 'udp',
      });
      return workerOf(selector, rules, tool, ...packet)! + 1;
    });
  }

  // Read from `conntrack -L` on Linux 6.18, after `ct mark set jhash ip saddr . th sport mod 1000 seed 0x1234abcd offset 1`.
  it('is the one that nft finds', () => {
    assert.deepEqual(workersOf('nft', '127.0.0.1'), [570, 757, 119, 717, 386, 99]);
    assert.deepEqual(workersOf('nft', '127.9.8.7'), [774, 526, 790, 699, 753, 659]);
    assert.deepEqual(workersOf('nft', 'fd77::1'), [376, 624, 195, 77, 584, 812]);
  });

  // The same after `HMARK --hmark-tuple src,sport --hmark-mod 1000 --hmark-offset 1 --hmark-rnd 0x1234abcd`.
  it('is the one that HMARK finds', () => {
    assert.deepEqual(workersOf('iptables', '127.0.0.1'), [92, 191, 70, 598, 249, 469]);
    assert.deepEqual(workersOf('iptables', 'fd77::1'), [560, 419, 775, 785, 586, 665]);
  });

  it('is the same for what goes to the client', () => {
    const [packet, view] = parsed({ ...toVip, protocol: 'udp' });
    const back = parsed({
      source: toVip.destination,
      sourcePort: toVip.destinationPort,
      destination: client.source,
      destinationPort: client.sourcePort,
      protocol: 'udp',
    });
    const selector = { ...steered, family: 4, address: '192.0.2.10' } as const;
    for (const tool of ['nft', 'iptables-legacy'] as const) {
      assert.equal(
        workerOf({ ...selector, steer: 'source-client' }, rules, tool, packet, view),
        workerOf({ ...selector, steer: 'destination-client' }, rules, tool, ...back),
      );
    }
  });

  it('is told by the rule, or known to nobody before there are rules', () => {
    const [packet, view] = parsed(toVip);
    const selector = { ...steered, family: 4, address: '192.0.2.10' } as const;
    assert.equal(workerOf({ ...selector, steer: 3 }, rules, undefined, packet, view), 3);
    assert.equal(
      workerOf({ ...selector, steer: 'source-client' }, rules, undefined, packet, view),
      undefined,
    );
  });
});
