import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitsEndpoint, fitsName, parseFlowFilter } from '../../lib/model/flow-filter.ts';
import { parseIp } from '../../lib/model/ip.ts';

const everywhere = ['client', 'vip', 'backend'];

/** The only term of a filter of one word. */
function term(word: string) {
  const { terms } = parseFlowFilter(word);
  assert.equal(terms.length, 1, word);
  return terms[0]!;
}

/** Whether an address and port are what the word asks for. */
function fits(word: string, address: string, port: number): boolean {
  const asked = term(word);
  assert.ok(asked.kind === 'endpoint', word);
  const bytes = new Uint8Array(16);
  parseIp(address, bytes, 0);
  return fitsEndpoint(asked, bytes, 0, port);
}

describe('a filter of flows', () => {
  it('asks nothing where nothing is written', () => {
    for (const text of ['', '  ']) assert.deepEqual(parseFlowFilter(text).terms, []);
  });

  it('finds addresses, networks and ports, anywhere unless a place is named', () => {
    for (const [word, address, port] of [
      ['198.51.100.7', '198.51.100.7', 1],
      ['10.0.0.0/8', '10.9.9.9', 1],
      ['10.0.0.2:80', '10.0.0.2', 80],
      ['[fd00::1]:443', 'fd00::1', 443],
      ['[fd00::1]', 'fd00::1', 1],
      ['fd00::/8', 'fd12::1', 1],
      [':443', '192.0.2.1', 443],
      ['443', '192.0.2.1', 443],
      ['port:443', '192.0.2.1', 443],
    ] as const) {
      assert.equal(fits(word, address, port), true, word);
      assert.equal(fits(word, '203.0.113.1', 9), false, word);
      assert.deepEqual((term(word) as { places: unknown }).places, everywhere);
    }
    assert.deepEqual(term('client:10.0.0.0/8'), { ...term('10.0.0.0/8'), places: ['client'] });
    assert.deepEqual(term('VIP::80'), { kind: 'endpoint', places: ['vip'], port: 80 });
    assert.deepEqual(term('backend:10.0.0.2:80'), { ...term('10.0.0.2:80'), places: ['backend'] });
  });

  it('does not take the port of one address for that of another', () => {
    assert.equal(fits('10.0.0.2:80', '10.0.0.2', 81), false);
    assert.equal(fits('10.0.0.2:80', '10.0.0.3', 80), false);
  });

  it('finds states, protocols and parts of names', () => {
    assert.deepEqual(term('established'), { kind: 'state', state: 'established' });
    assert.deepEqual(term('state:Closing'), { kind: 'state', state: 'closing' });
    assert.deepEqual(term('udp'), { kind: 'protocol', protocol: 'udp' });
    const name = term('Web');
    assert.deepEqual(name, { kind: 'name', of: ['service', 'backend'], text: 'web' });
    assert.ok(name.kind === 'name');
    assert.deepEqual([fitsName(name, ['my-WEB-1']), fitsName(name, ['dns', 'api'])], [true, false]);
    assert.deepEqual(term('backend:third'), { kind: 'name', of: ['backend'], text: 'third' });
    assert.deepEqual(term('service:80'), { kind: 'name', of: ['service'], text: '80' });
  });

  it('wants every word fulfilled', () => {
    const { terms, text } = parseFlowFilter(' tcp  client:10.0.0.0/8 established');
    assert.deepEqual(
      terms.map(({ kind }) => kind),
      ['protocol', 'endpoint', 'state'],
    );
    assert.equal(text, ' tcp  client:10.0.0.0/8 established');
  });

  it('is refused, with a remedy, where a named place holds something else', () => {
    for (const word of [
      'client:web',
      'vip:10.0.0.0/40',
      'port:http',
      'port:65536',
      'state:open',
      'client:',
    ]) {
      assert.throws(() => parseFlowFilter(word), { code: 'ERR_SLUICE_USAGE', remedy: /write/ }, word);
    }
  });
});
