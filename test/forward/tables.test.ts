import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ForwardingTables, type TablesSpec } from '../../lib/forward/tables.ts';
import { writeAddress } from '../../lib/packet/address.ts';
import { craft, see } from '../packet/craft.ts';
import { Balancer, defaultSpec, families } from './balancer.ts';

function wordsOf(text: string): Int32Array {
  const words = new Int32Array(4);
  assert.ok(writeAddress(text, words, 0));
  return words;
}

describe('forwarding tables', () => {
  const tables = new ForwardingTables(defaultSpec());

  it('find a VIP by address, port and protocol together', () => {
    assert.equal(tables.vipAt(wordsOf('1.2.3.4'), 0, 80, 6), 1);
    assert.equal(tables.vipAt(wordsOf('1.2.3.4'), 0, 53, 17), 2);
    assert.equal(tables.vipAt(wordsOf('2001:db8:1::4'), 0, 80, 6), 5);
    assert.equal(tables.vipAt(wordsOf('1.2.3.4'), 0, 80, 17), 0);
    assert.equal(tables.vipAt(wordsOf('1.2.3.4'), 0, 8080, 6), 0);
    assert.equal(tables.vipAt(wordsOf('1.2.3.5'), 0, 80, 6), 0);
    assert.equal(tables.vipAt(wordsOf('2001:db8:1::5'), 0, 80, 6), 0);
  });

  it('know whose an address is', () => {
    assert.ok(tables.isVipAddress(wordsOf('1.2.3.4'), 0));
    assert.ok(!tables.isVipAddress(wordsOf('10.0.0.1'), 0));
    assert.ok(tables.isSnatPort(wordsOf('10.0.0.1'), 0, 2000));
    assert.ok(tables.isSnatPort(wordsOf('fd00::1'), 0, 2099));
    assert.ok(!tables.isSnatPort(wordsOf('10.0.0.1'), 0, 2100));
    assert.ok(!tables.isSnatPort(wordsOf('1.2.3.4'), 0, 2000));
  });

  it('know an address that is both VIP and SNAT address as both', () => {
    const both = new ForwardingTables({
      ...defaultSpec(),
      snats: [{ number: 1, address: '1.2.3.4', retired: false }],
    });
    assert.ok(both.isVipAddress(wordsOf('1.2.3.4'), 0) && both.isSnatPort(wordsOf('1.2.3.4'), 0, 2000));
  });

  it('offer SNAT addresses of the right family that are not retired', () => {
    const snats = ['10.0.0.1', 'fd00::1', '10.0.0.9'].map((address, index) => ({
      number: index + 1,
      address,
      retired: index === 2,
    }));
    const endpoints = defaultSpec().endpoints.map((endpoint) => ({ ...endpoint, snats: [1, 2, 3] }));
    const some = new ForwardingTables({ ...defaultSpec(), endpoints, snats });
    assert.deepEqual([...some.snatsFor(1, 1)], [1]);
    assert.deepEqual([...some.snatsFor(5, 3)], [2]);
    assert.deepEqual([...some.snatsFor(3, 1)], [], 'a VIP that keeps client addresses');
  });

  it('offer an endpoint only the SNAT addresses that it can answer to', () => {
    const snats = ['10.0.0.1', '10.0.0.9'].map((address, index) => ({
      number: index + 1,
      address,
      retired: false,
    }));
    const endpoints = defaultSpec().endpoints.map((endpoint) => ({ ...endpoint, snats: [endpoint.number] }));
    const some = new ForwardingTables({ ...defaultSpec(), endpoints, snats });
    assert.deepEqual(
      [1, 2, 3].map((endpoint) => [...some.snatsOf(endpoint)]),
      [[1], [2], []],
    );
  });

  it('hold a thousand VIPs', () => {
    const vips = Array.from({ length: 1_000 }, (_, index) => ({
      ...defaultSpec().vips[0]!,
      number: index + 1,
      address: `10.1.${index >> 8}.${index & 255}`,
    }));
    const many = new ForwardingTables({ ...defaultSpec(), vips });
    for (const { number, address } of vips) assert.equal(many.vipAt(wordsOf(address), 0, 80, 6), number);
    assert.equal(many.vipAt(wordsOf('10.1.3.255'), 0, 80, 6), 0);
  });

  it('hold a thousand VIPs that differ in their ports alone', () => {
    const vips = Array.from({ length: 1_000 }, (_, index) => ({
      ...defaultSpec().vips[0]!,
      number: index + 1,
      port: index + 1,
    }));
    const many = new ForwardingTables({ ...defaultSpec(), vips });
    const words = wordsOf('1.2.3.4');
    for (const { number, port } of vips) assert.equal(many.vipAt(words, 0, port, 6), number);
    for (let port = 1_001; port < 5_000; port++) assert.equal(many.vipAt(words, 0, port, 6), 0);
  });

  it('refuse what is no address', () => {
    const snats = [{ number: 1, address: 'localhost', retired: false }];
    assert.throws(() => new ForwardingTables({ ...defaultSpec(), snats }), RangeError);
  });
});

for (const family of families) {
  describe(`another generation over IPv${family.version}`, () => {
    const ends = { source: family.client, destination: family.vip, sourcePort: 40_000, destinationPort: 80 };

    it('keeps the flows of a VIP that is retired, and opens no more', () => {
      const balancer = new Balancer();
      assert.equal(balancer.send(craft({ ...ends, flags: 'S' })).reason, 'forwarded');
      const retire = (spec: TablesSpec): TablesSpec => ({
        ...spec,
        generation: 2,
        vips: spec.vips.map((vip) => ({ ...vip, retired: vip.number === family.firstVip })),
        endpoints: spec.endpoints.map((endpoint) => ({ ...endpoint, retired: true })),
        snats: spec.snats.map((snat) => ({ ...snat, retired: true })),
      });
      balancer.forwarder.use(new ForwardingTables(retire(balancer.spec)));
      const sent = balancer.send(craft({ ...ends, flags: 'A' }));
      assert.deepEqual(
        [sent.reason, see(sent.bytes).destination],
        ['forwarded', see(craft({ ...ends, source: family.backend })).source],
      );
      assert.equal(balancer.send(craft({ ...ends, sourcePort: 40_001, flags: 'S' })).reason, 'not-ours');
      const { snat, backend } = family;
      const answer = {
        source: backend,
        destination: snat,
        sourcePort: 9000,
        destinationPort: 2000,
        flags: 'SA',
      };
      assert.equal(balancer.send(craft(answer)).reason, 'forwarded');
      assert.equal(balancer.send(craft({ ...answer, destinationPort: 2001 })).reason, 'no-flow');
    });
  });
}
