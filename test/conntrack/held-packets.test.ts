import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeldPackets } from '../../lib/conntrack/held-packets.ts';
import { headroom } from '../../lib/packet/encapsulate.ts';

function viewOf(text: string): DataView {
  const bytes = new Uint8Array(Buffer.from(text));
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hold(held: HeldPackets, owner: number, id: number, text: string, nowMs = 0): boolean {
  return held.hold(owner, id, viewOf(text), 0, text.length, nowMs);
}

describe('packets that wait', () => {
  it('come out with the bytes, the id and the verdict they were given', () => {
    const held = new HeldPackets(4, 16);
    assert.ok(hold(held, 9, 41, 'one'));
    assert.ok(hold(held, 9, 42, 'two, longer'));
    assert.ok(hold(held, 8, 43, 'other'));
    assert.deepEqual([held.waiting, held.ready], [3, 0]);
    const verdicts: string[] = [];
    for (let place = held.find(9); place >= 0; place = held.find(9)) held.settle(place, 0x11, 0);
    assert.deepEqual([held.waiting, held.ready], [1, 2]);
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    for (let place = held.takeReady(view, 4, 28); place >= 0; place = held.takeReady(view, 4, 28)) {
      const text = Buffer.from(bytes.subarray(4, 4 + held.lengthOf(place))).toString();
      verdicts.push(`${held.idOf(place)} ${held.verdictOf(place)} ${text}`);
    }
    assert.deepEqual(verdicts.sort(), ['41 17 one', '42 17 two, longer']);
    assert.deepEqual([held.waiting, held.ready], [1, 0]);
  });

  it('may grow into the free bytes in front of them, and get a mark', () => {
    const held = new HeldPackets(2, 16);
    for (const id of [1, 2]) hold(held, 9, id, 'inner');
    for (let place = held.find(9); place >= 0; place = held.find(9)) {
      const start = held.offsetOf(place) - headroom;
      for (let at = start; at < held.offsetOf(place); at++) held.view.setUint8(at, 0x2b);
      held.move(place, start, headroom + 5);
      held.settle(place, 0x21, 700 + held.idOf(place));
    }
    const bytes = new Uint8Array(headroom + 5);
    const view = new DataView(bytes.buffer);
    for (let turn = 0; turn < 2; turn++) {
      const place = held.takeReady(view, 0, bytes.length);
      assert.equal(held.markOf(place), 700 + held.idOf(place));
      assert.equal(Buffer.from(bytes).toString(), `${'+'.repeat(headroom)}inner`);
    }
  });

  it('are bounded in number and in size', () => {
    const held = new HeldPackets(2, 8);
    assert.equal(hold(held, 1, 1, 'x'.repeat(9)), false);
    assert.equal(hold(held, 1, 1, 'x'.repeat(8)), true);
    assert.equal(hold(held, 1, 2, 'x'), true);
    assert.equal(hold(held, 1, 3, 'x'), false);
    held.settle(held.find(1), 0, 0);
    assert.equal(hold(held, 1, 3, 'x'), false, 'a settled one keeps its place until it is taken');
    held.takeReady(new DataView(new ArrayBuffer(8)), 0, 8);
    assert.equal(hold(held, 1, 3, 'x'), true);
  });

  it('are overdue after their time, oldest included', () => {
    const held = new HeldPackets(4, 8);
    hold(held, 1, 1, 'a', 0);
    hold(held, 2, 2, 'b', 50);
    assert.equal(held.findOverdue(200, 200), -1);
    const place = held.findOverdue(201, 200);
    assert.equal(held.idOf(place), 1);
    held.settle(place, 0, 0);
    assert.equal(held.findOverdue(201, 200), -1);
    assert.equal(held.idOf(held.findOverdue(251, 200)), 2);
  });

  it('stay where they are when there is no room for them', () => {
    const held = new HeldPackets(1, 8);
    hold(held, 1, 1, 'abcd');
    held.settle(held.find(1), 1, 0);
    const view = new DataView(new ArrayBuffer(4));
    assert.equal(held.takeReady(view, 0, 3), -1);
    assert.equal(held.takeReady(view, 0, 4), 0);
  });
});
