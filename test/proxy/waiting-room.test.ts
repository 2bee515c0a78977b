import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaitingRoom } from '../../lib/proxy/waiting-room.ts';

/** Who is admitted of those who wait, when `placed` find a place. */
function admit(room: WaitingRoom<string>, placed: string, speaksForAll: (flow: string) => boolean) {
  const asked: string[] = [];
  const tryPlace = (flow: string) => {
    asked.push(flow);
    return placed.includes(flow);
  };
  room.admit(tryPlace, speaksForAll);
  return asked.join('');
}

const nobody = () => false;
const anybody = () => true;

function roomOf(flows: string): WaitingRoom<string> {
  const room = new WaitingRoom<string>();
  for (const flow of flows) room.enter(flow, flows.length);
  return room;
}

describe('a waiting room', () => {
  it('has as many seats as it is told', () => {
    const room = roomOf('ab');
    assert.equal(room.enter('c', 2), false);
    assert.equal(room.size, 2);
    assert.equal(room.enter('c', 3), true);
    assert.equal(room.size, 3);
  });

  it('asks in the order of arrival', () => {
    assert.equal(admit(roomOf('bac'), '', nobody), 'bac');
  });

  it('asks nobody behind one without a place that speaks for all', () => {
    assert.equal(admit(roomOf('abc'), 'a', anybody), 'ab');
  });

  it('asks those behind one that speaks for itself', () => {
    assert.equal(
      admit(roomOf('abcd'), 'c', (flow) => flow !== 'a'),
      'ab',
    );
    assert.equal(
      admit(roomOf('abcd'), 'bcd', (flow) => flow !== 'a'),
      'abcd',
    );
  });

  it('keeps the seats of those without a place only', () => {
    const room = roomOf('abcd');
    admit(room, 'bd', nobody);
    assert.equal(room.size, 2);
    assert.equal(admit(room, '', nobody), 'ac');
  });

  it('forgets who leaves', () => {
    const room = roomOf('abc');
    room.leave('b');
    room.leave('b');
    assert.equal(room.size, 2);
    assert.equal(admit(room, '', nobody), 'ac');
  });

  it('bears that those who are admitted make others leave', () => {
    const room = roomOf('abc');
    const asked: string[] = [];
    const tryPlace = (flow: string) => {
      asked.push(flow);
      room.leave('b');
      return true;
    };
    room.admit(tryPlace, anybody);
    assert.deepEqual(asked, ['a', 'c']);
    assert.equal(room.size, 0);
  });
});
