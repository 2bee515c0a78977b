import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DsrTables, type DsrTablesSpec } from '../../lib/forward/dsr-tables.ts';
import { writeAddress } from '../../lib/packet/address.ts';
import { dsrSpec } from './dsr-balancer.ts';

function wordsOf(address: string): Int32Array {
  const words = new Int32Array(4);
  assert.ok(writeAddress(address, words, 0));
  return words;
}

function tablesOf(changes: Partial<DsrTablesSpec> = {}): DsrTables {
  return new DsrTables({ ...dsrSpec(), ...changes });
}

describe('the tables of direct server return', () => {
  it('know VIPs by address, port and protocol, and those of old no more', () => {
    const retired = dsrSpec().vips.map((vip) => ({ ...vip, retired: vip.number === 1 }));
    const [before, after] = [tablesOf(), tablesOf({ vips: retired })];
    const at = (tables: DsrTables, address: string, port: number, protocol: number): number =>
      tables.vipAt(wordsOf(address), 0, port, protocol);
    assert.deepEqual(
      [at(before, '1.2.3.4', 80, 6), at(before, '1.2.3.4', 53, 17), at(before, '2001:db8:1::4', 80, 6)],
      [1, 2, 3],
    );
    assert.deepEqual([at(before, '1.2.3.4', 80, 17), at(before, '1.2.3.5', 80, 6)], [0, 0]);
    assert.equal(at(after, '1.2.3.4', 80, 6), 0);
    assert.ok(after.isVipAddress(wordsOf('1.2.3.4'), 0), 'of the VIP that is left there');
    assert.ok(!after.isVipAddress(wordsOf('10.0.1.2'), 0));
  });

  it('know all tunnels that lead to an address', () => {
    const spec = dsrSpec();
    const again = { ...spec.endpoints[0]!, number: 9, source: '10.0.1.3' };
    const tables = tablesOf({ endpoints: [...spec.endpoints, again] });
    const there: number[] = [];
    for (let each = tables.tunnelTo(wordsOf('10.0.2.11'), 0); each !== 0; each = tables.nextTunnel(each)) {
      there.push(each);
    }
    assert.deepEqual(there.sort(), [1, 9]);
    assert.equal(tables.tunnelTo(wordsOf('10.0.2.99'), 0), 0);
    assert.equal(tables.tunnelTo(wordsOf('10.0.2.14'), 0), 0, 'to the backend on the link there is none');
  });

  it('know a source by the bits that do not vary', () => {
    const tables = tablesOf();
    const isSource = (endpoint: number, address: string) => tables.isSourceTo(endpoint, wordsOf(address), 0);
    assert.ok(isSource(1, '10.0.1.2') && !isSource(1, '10.0.1.3'));
    assert.deepEqual(
      ['10.9.0.15', '10.9.0.16', '10.9.0.31', '10.9.0.32'].map((address) => isSource(5, address)),
      [false, true, true, false],
    );
    assert.deepEqual(
      ['fd09::f', 'fd09::10', 'fd09::1f', 'fd09:1::10'].map((address) => isSource(6, address)),
      [false, true, true, false],
    );
    const all = tablesOf({
      endpoints: dsrSpec().endpoints.map((each) => ({ ...each, sourceVariation: 32 })),
    });
    assert.ok(all.isSourceTo(1, wordsOf('200.1.2.3'), 0));
    assert.ok(!all.isSourceTo(1, wordsOf('fd00:1::2'), 0));
  });

  it('know checks by where they come from', () => {
    const tables = tablesOf();
    const probed = (address: string, port: number) => tables.probedFrom(wordsOf(address), 0, port);
    assert.deepEqual(
      [probed('10.0.1.2', 26_001), probed('fd00:1::2', 26_003), probed('10.0.1.2', 26_000)],
      [1, 3, 0],
    );
    assert.deepEqual(
      [probed('10.0.1.2', 25_999), probed('10.0.1.2', 26_008), probed('10.0.1.9', 26_001)],
      [-1, -1, -1],
    );
  });

  it('refuse what is no address', () => {
    const [first] = dsrSpec().endpoints;
    assert.throws(() => tablesOf({ endpoints: [{ ...first!, source: 'nowhere' }] }), RangeError);
  });
});
