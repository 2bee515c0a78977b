import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Outlet, type PacketSocket } from '../../lib/datapath/outlet.ts';

/** Sockets that note what they are given. */
function sockets() {
  const opened: number[] = [];
  const sent: string[] = [];
  const open = (family: 4 | 6): PacketSocket => {
    opened.push(family);
    return {
      send(bytes, offsets, lengths, count) {
        for (let index = 0; index < count; index++) {
          const [offset, length] = [offsets[index]!, lengths[index]!];
          sent.push(`${family}: ${Buffer.from(bytes.slice(offset, offset + length)).toString()}`);
        }
        return count;
      },
    };
  };
  return { opened, sent, outlet: new Outlet(open) };
}

function put(outlet: Outlet, family: 'ipv4' | 'ipv6', text: string): void {
  const outbox = outlet[family];
  outbox.bytes.set(Buffer.from(text), outbox.add(text.length));
}

describe('what leaves apart from verdicts', () => {
  it('leaves by a socket of its family, each packet once', () => {
    const { outlet, sent } = sockets();
    put(outlet, 'ipv4', 'one');
    put(outlet, 'ipv6', 'six');
    put(outlet, 'ipv4', 'two');
    outlet.flush();
    outlet.flush();
    assert.deepEqual(sent, ['4: one', '4: two', '6: six']);
  });

  it('opens no socket for a family of which nothing leaves, and none twice', () => {
    const { outlet, opened } = sockets();
    outlet.flush();
    assert.deepEqual(opened, []);
    for (const text of ['one', 'two']) {
      put(outlet, 'ipv6', text);
      outlet.flush();
    }
    assert.deepEqual(opened, [6]);
  });
});
