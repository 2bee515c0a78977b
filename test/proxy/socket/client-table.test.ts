import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecordWord, recordWords } from 'node-linux-sockets';
import { TupleHash } from '../../../lib/conntrack/half-siphash.ts';
import { writeAddress } from '../../../lib/packet/address.ts';
import { ClientTable } from '../../../lib/proxy/socket/client-table.ts';

class Client {
  readonly record: Int32Array;
  hash = 0;
  next: Client | undefined = undefined;

  constructor(record: Int32Array) {
    this.record = record;
  }
}

interface Sender {
  readonly peer: string;
  readonly port: number;
  readonly local?: string;
  readonly scope?: number;
}

/** The record of a datagram of the sender's, at any place of a batch; what is not its own is different each time. */
function recordOf({ peer, port, local, scope = 0 }: Sender, place = 0): { records: Int32Array; at: number } {
  const at = place * recordWords;
  const records = new Int32Array(at + recordWords);
  writeAddress(peer, records, at + RecordWord.peer);
  if (local !== undefined) writeAddress(local, records, at + RecordWord.local);
  records[at + RecordWord.port] = port;
  records[at + RecordWord.scope] = scope;
  records[at + RecordWord.offset] = place;
  records[at + RecordWord.length] = place + 1;
  return { records, at };
}

/** A hash under which all senders of a port meet. */
const crowded = { of: (_words: Int32Array, _source: number, _destination: number, port: number) => port };
const hashes = { keyed: new TupleHash({ low: 1, high: 2 }), crowded: crowded as unknown as TupleHash };

/** So few that they meet again and again. */
const anySender = fc.record({
  peer: fc.constantFrom('192.0.2.1', '2001:db8::1'),
  port: fc.constantFrom(1, 65_535),
  local: fc.constantFrom('198.51.100.1', '198.51.100.2'),
});

for (const [name, hash] of Object.entries(hashes)) {
  describe(`a table of clients, ${name}`, () => {
    it('tells clients apart by address, port, interface, and the address that they write to', () => {
      const senders: Sender[] = [
        { peer: '192.0.2.1', port: 1, local: '198.51.100.1' },
        { peer: '192.0.2.2', port: 1, local: '198.51.100.1' },
        { peer: '192.0.2.1', port: 2, local: '198.51.100.1' },
        { peer: '192.0.2.1', port: 1, local: '198.51.100.2' },
        { peer: '192.0.2.1', port: 1 },
        { peer: 'fe80::1', port: 1, scope: 2 },
        { peer: 'fe80::1', port: 1, scope: 3 },
      ];
      const table = new ClientTable<Client>(hash);
      const clients = senders.map((sender) => new Client(recordOf(sender).records));
      for (const client of clients) table.add(client);
      for (const [index, sender] of senders.entries()) {
        const { records, at } = recordOf(sender, 5);
        assert.equal(table.find(records, at), clients[index]);
      }
    });

    it('finds whoever was added and not removed, whatever happened in between', () => {
      const happening = fc.tuple(fc.constantFrom('add', 'remove', 'find'), anySender, fc.nat(7));
      fc.assert(
        fc.property(fc.array(happening, { maxLength: 100 }), (happenings) => {
          const table = new ClientTable<Client>(hash);
          const twin = new Map<string, Client>();
          for (const [what, sender, place] of happenings) {
            const key = JSON.stringify(sender);
            const { records, at } = recordOf(sender, place);
            if (what === 'add' && !twin.has(key)) {
              const client = new Client(records.slice(at));
              twin.set(key, client);
              table.add(client);
            } else if (what === 'remove') {
              const client = twin.get(key) ?? new Client(records.slice(at));
              twin.delete(key);
              table.remove(client);
            }
            assert.equal(table.find(records, at), twin.get(key));
          }
        }),
      );
    });
  });
}
