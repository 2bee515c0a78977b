/** Flows of which only the client's half is seen, as in direct server return. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Count } from '../../lib/conntrack/flow-rows.ts';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { FlowTracker, OpenFailure } from '../../lib/conntrack/tracker.ts';
import { book, find, fromBackend, fromClient, makePartialFlows, open, options, stateOf } from './flows.ts';

/** The state of TCP flow 1 after packets with these flags. */
function play(flags: readonly string[], flows = makePartialFlows()): string {
  const [first, ...rest] = flags.map((each) => fromClient(1, 1, { flags: each }));
  const flow = open(flows, first!, 1, 1, []);
  for (const { packet, view } of rest) flows.tracker.follow(flow, 0, packet, view);
  return stateOf(flows, flow);
}

describe('the state of a half-seen TCP flow', () => {
  const rows: readonly [why: string, flags: readonly string[], expected: string][] = [
    ['a SYN opens it', ['S'], 'syn-sent'],
    ['a SYN again changes nothing', ['S', 'S'], 'syn-sent'],
    ['whatever comes next tells that there is an answer', ['S', 'A'], 'established'],
    ['data do too', ['S', 'PA'], 'established'],
    ['a packet in mid-flow opens it', ['A'], 'picked-up'],
    ['a second one proves it', ['A', 'PA'], 'established'],
    ['a SYN in it changes nothing', ['S', 'A', 'S'], 'established'],
    ['a FIN ends it', ['S', 'A', 'FA'], 'fin-seen'],
    ['a FIN right away', ['S', 'FA'], 'fin-seen'],
    ['what comes after a FIN changes nothing', ['S', 'A', 'FA', 'A', 'FA'], 'fin-seen'],
    ['a RST ends it, at any time', ['S', 'R'], 'reset'],
    ['a RST after a FIN', ['S', 'A', 'FA', 'RA'], 'reset'],
    ['a RST that was none of the client’s is lived down', ['S', 'A', 'R', 'A'], 'picked-up'],
    ['and then it goes on', ['S', 'A', 'R', 'A', 'A'], 'established'],
  ];
  for (const [why, flags, expected] of rows) {
    it(`${why}: ${flags.join(', ')}`, () => assert.equal(play(flags), expected));
  }
});

describe('a half-seen flow', () => {
  it('is a stream with its second datagram', () => {
    const flows = makePartialFlows();
    const { packet, view } = fromClient(1, 2);
    const flow = open(flows, { packet, view }, 2, 1, []);
    assert.equal(stateOf(flows, flow), 'udp-new');
    flows.tracker.follow(flow, 0, packet, view);
    assert.equal(stateOf(flows, flow), 'udp-stream');
  });

  it('has one key: what the client sends', () => {
    const flows = makePartialFlows();
    const flow = open(flows, fromClient(1, 1), 1, 1, []);
    assert.equal(find(flows, fromClient(1, 1)), flow * 2);
    assert.equal(find(flows, fromBackend(flows, flow)), 0);
    assert.equal(flows.tracker.rows.slots.filter((slot) => slot !== 0).length, 1);
    flows.tracker.close(flow);
    assert.ok(flows.tracker.rows.slots.every((slot) => slot === 0));
  });

  it('may share backend and port with another that came by another VIP', () => {
    const flows = makePartialFlows();
    assert.ok(open(flows, fromClient(1, 1), 1, 1, []) > 0);
    assert.ok(open(flows, fromClient(1, 3), 3, 1, []) > 0);
  });

  it('ends by silence, in every state', () => {
    const ways: Readonly<Record<string, readonly string[]>> = {
      'syn-sent': ['S'],
      'picked-up': ['A'],
      established: ['S', 'A'],
      'fin-seen': ['S', 'FA'],
      reset: ['S', 'R'],
    };
    for (const [state, flags] of Object.entries(ways)) {
      const flows = makePartialFlows();
      assert.equal(play(flags, flows), state);
      const timeout = defaultFlowTimeouts[state as keyof typeof defaultFlowTimeouts];
      flows.tracker.advance(timeout - 1, 100);
      assert.equal(flows.tracker.rows.counts[Count.expired], 0, state);
      flows.tracker.advance(timeout + 2_100, 100);
      assert.equal(flows.tracker.rows.counts[Count.expired], 1, state);
    }
  });

  it('that was picked up is half-open: a flood of such stays within the quota', () => {
    const flows = makePartialFlows({ halfOpenQuota: 4, halfOpenGraceMs: 1_000 });
    const knock = (client: number) => open(flows, fromClient(client, 1, { flags: 'A' }), 1, 1, []);
    for (let client = 1; client <= 4; client++) assert.ok(knock(client) > 0);
    assert.equal(knock(5), OpenFailure.halfOpenFull);
    flows.tracker.advance(1_016, 0);
    assert.ok(knock(5) > 0, 'the oldest has had its grace');
    assert.equal(find(flows, fromClient(1, 1)), 0);
  });

  it('makes way for another once it is over', () => {
    const flows = makePartialFlows({ shape: { capacity: 2, vips: 4, endpoints: 4 } });
    assert.equal(play(['S', 'A'], flows), 'established');
    assert.equal(open(flows, fromClient(2, 1), 1, 1, []), OpenFailure.tableFull);
    const fin = fromClient(1, 1, { flags: 'FA' });
    flows.tracker.follow(find(flows, fin) >> 1, 0, fin.packet, fin.view);
    assert.ok(open(flows, fromClient(2, 1), 1, 1, []) > 0);
  });

  it('is known to the tracker that takes over', () => {
    const flows = makePartialFlows();
    play(['S', 'A'], flows);
    const next = { ...flows, tracker: new FlowTracker(flows.buffer, options, book, undefined, 0) };
    const found = find(next, fromClient(1, 1));
    assert.equal(stateOf(next, found >> 1), 'established');
    assert.equal(next.tracker.rows.slots.filter((slot) => slot !== 0).length, 1);
  });
});
