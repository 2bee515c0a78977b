import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flowStateNames } from '../../lib/conntrack/states.ts';
import {
  areFlagsImpossible,
  isOpeningSyn,
  isPlausible,
  isReplaceable,
} from '../../lib/conntrack/tcp-state.ts';
import type { Craft } from '../packet/craft.ts';
import { type Flows, fromBackend, fromClient, makeFlows, open, stateOf } from './flows.ts';

/** A segment: from whom, its flags, where it stands. The client's numbers begin at 100, the backend's at 900. */
type Step = readonly [from: 'client' | 'backend', flags: string, sequence: number, acknowledgement: number];

const synAck: Step = ['backend', 'SA', 900, 101];
const ack: Step = ['client', 'A', 101, 901];
const scaled = { tcpOptions: [3, 3, 4, 0] } as const;

function play(steps: readonly Step[], syn: Partial<Craft> = {}): string {
  const flows: Flows = makeFlows();
  const flow = open(flows, fromClient(1, 1, { sequence: 100, ...syn }), 1);
  for (const [from, flags, sequence, acknowledgement] of steps) {
    const what = { flags, sequence, acknowledgement, window: 1_000, ...(flags.includes('S') ? syn : {}) };
    const byClient = from === 'client';
    const { packet, view } = byClient ? fromClient(1, 1, what) : fromBackend(flows, flow, what);
    flows.tracker.follow(flow, byClient ? 0 : 1, packet, view);
  }
  return stateOf(flows, flow);
}

describe('the state of a TCP flow', () => {
  const rows: readonly [why: string, expected: string, steps: readonly Step[]][] = [
    ['a SYN opens it', 'syn-sent', []],
    ['a SYN again changes nothing', 'syn-sent', [['client', 'S', 100, 0]]],
    ['a SYN-ACK answers', 'syn-received', [synAck]],
    ['data of the backend without one do not', 'syn-sent', [['backend', 'A', 900, 101]]],
    ['the ACK of the SYN-ACK proves the client', 'established', [synAck, ack]],
    ['an ACK of something else does not', 'syn-received', [synAck, ['client', 'A', 101, 555]]],
    [
      'nor does the same twice',
      'syn-received',
      [synAck, ['client', 'A', 101, 555], ['client', 'A', 101, 555]],
    ],
    ['an ACK with data does', 'established', [synAck, ['client', 'PA', 101, 901]]],
    ['an ACK before any SYN-ACK does not', 'syn-sent', [['client', 'A', 101, 901]]],
    ['a SYN-ACK again changes nothing', 'established', [synAck, ack, synAck]],
    ['a SYN of the client changes nothing', 'established', [synAck, ack, ['client', 'S', 5_000, 0]]],
    ['the client is done', 'client-closing', [synAck, ack, ['client', 'FA', 101, 901]]],
    ['the backend is done', 'backend-closing', [synAck, ack, ['backend', 'FA', 901, 101]]],
    ['done at once with the handshake', 'client-closing', [synAck, ['client', 'FA', 101, 901]]],
    [
      'a FIN again changes nothing',
      'client-closing',
      [synAck, ack, ['client', 'FA', 101, 901], ['client', 'FA', 101, 901]],
    ],
    [
      'half-closed, data flow on',
      'client-closing',
      [synAck, ack, ['client', 'FA', 101, 901], ['backend', 'PA', 901, 102]],
    ],
    ['both are done', 'last-ack', [synAck, ack, ['client', 'FA', 101, 901], ['backend', 'FA', 901, 102]]],
    [
      'both are done, the other way',
      'last-ack',
      [synAck, ack, ['backend', 'FA', 901, 101], ['client', 'FA', 101, 902]],
    ],
    [
      'and have said so',
      'time-wait',
      [synAck, ack, ['client', 'FA', 101, 901], ['backend', 'FA', 901, 102], ['client', 'A', 102, 902]],
    ],
    ['a RST at the next byte ends it', 'reset', [synAck, ack, ['client', 'R', 101, 0]]],
    ['a RST within the window too', 'reset', [synAck, ack, ['client', 'RA', 1_101, 901]]],
    ['a RST behind the window does not', 'established', [synAck, ack, ['client', 'R', 1_102, 0]]],
    ['a RST before the next byte does not', 'established', [synAck, ack, ['client', 'R', 100, 0]]],
    ['a RST of the backend is judged likewise', 'reset', [synAck, ack, ['backend', 'R', 901, 0]]],
    [
      'a late SYN-ACK does not bring an old RST back in',
      'established',
      [synAck, ack, ['client', 'A', 101, 5_000], synAck, ['backend', 'R', 901, 0]],
    ],
    ['and refused likewise', 'established', [synAck, ack, ['backend', 'R', 77, 0]]],
    ['a FIN out of the blue is not believed', 'established', [synAck, ack, ['client', 'FA', 70_000, 901]]],
    [
      'the next byte moves on with acknowledgements',
      'reset',
      [synAck, ack, ['backend', 'A', 901, 9_000], ['client', 'R', 9_000, 0]],
    ],
    [
      'a forged acknowledgement is mended by a true one',
      'reset',
      [synAck, ack, ['backend', 'A', 901, 5e8], ['backend', 'A', 901, 101], ['client', 'R', 101, 0]],
    ],
    ['a RST that refuses the SYN acknowledges it', 'reset', [['backend', 'RA', 0, 101]]],
    ['one that does not is not believed', 'syn-sent', [['backend', 'RA', 0, 55]]],
    ['nor is one without an ACK', 'syn-sent', [['backend', 'R', 101, 0]]],
    ['a RST before the handshake is done', 'reset', [synAck, ['backend', 'R', 901, 0]]],
    ['the client takes its SYN back', 'reset', [['client', 'R', 101, 0]]],
  ];
  for (const [why, expected, steps] of rows) {
    it(`is ${expected}: ${why}`, () => assert.equal(play(steps), expected));
  }

  it('counts windows by the scale that both have offered', () => {
    const far: Step = ['client', 'R', 101 + 15_000, 0];
    assert.equal(play([synAck, ['backend', 'A', 901, 101], ack, far], scaled), 'reset');
    assert.equal(play([synAck, ['backend', 'A', 901, 101], ack, far]), 'established');
  });

  it('wraps with sequence numbers', () => {
    const top = 0xffff_fff0;
    const steps: readonly Step[] = [
      ['backend', 'SA', top, 101],
      ['client', 'A', 101, (top + 1) >>> 0],
      ['backend', 'R', 5, 0],
    ];
    assert.equal(play(steps), 'reset');
  });
});

describe('flags', () => {
  it('open a connection when they are SYN and nothing that contradicts it', () => {
    assert.deepEqual([0x02, 0x0a, 0x22, 0xc2].map(isOpeningSyn), [true, true, true, true]);
    assert.deepEqual([0x12, 0x03, 0x06, 0x10, 0x00].map(isOpeningSyn), [false, false, false, false, false]);
  });

  it('are impossible where no TCP sends them', () => {
    const impossible = {
      none: 0,
      'SYN FIN': 3,
      'SYN RST': 6,
      'FIN RST': 5,
      'FIN alone': 1,
      'FIN PSH URG': 0x29,
      all: 0x3f,
    };
    for (const [name, flags] of Object.entries(impossible)) assert.ok(areFlagsImpossible(flags), name);
    for (const flags of [0x02, 0x12, 0x10, 0x18, 0x11, 0x19, 0x04, 0x14, 0x38, 0xc2, 0x0a]) {
      assert.ok(!areFlagsImpossible(flags), flags.toString(16));
    }
  });
});

describe('a flow gives way to a new SYN of its client', () => {
  it('when that has closed its end, or there was a reset', () => {
    const replaceable = flowStateNames.filter((_, state) => isReplaceable(state));
    assert.deepEqual(replaceable, ['client-closing', 'last-ack', 'time-wait', 'reset', 'fin-seen']);
  });
});

describe('a sequence number', () => {
  it('is plausible from the next byte to the end of the scaled window', () => {
    assert.deepEqual(
      [-1, 0, 5, 6].map((off) => isPlausible(100 + off, 100, 5, 0)),
      [false, true, true, false],
    );
    assert.ok(isPlausible(100 + (65_535 << 14), 100, 65_535, 14));
    assert.ok(!isPlausible(101 + (65_535 << 14), 100, 65_535, 14));
    assert.ok(isPlausible(3, -4, 10, 0));
  });
});
