import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesPerFlow, Count, type FlowRows, flowBufferBytes } from '../../lib/conntrack/flow-rows.ts';
import { bytesOf, packetsOf } from '../../lib/conntrack/flow-traffic.ts';
import { PortPool } from '../../lib/conntrack/port-pool.ts';
import { defaultFlowTimeouts, FlowClass } from '../../lib/conntrack/states.ts';
import { FlowTracker, OpenFailure } from '../../lib/conntrack/tracker.ts';
import {
  book,
  type Flows,
  find,
  fromBackend,
  fromClient,
  makeFlows,
  makePorts,
  open,
  options,
  shape,
  stateOf,
} from './flows.ts';

function follow(
  { tracker }: Flows,
  flow: number,
  direction: number,
  { packet, view }: ReturnType<typeof fromClient>,
) {
  tracker.follow(flow, direction, packet, view);
}

function handshake(flows: Flows, client: number, vip = 1, endpoint = 1, snats = [1]): number {
  const flow = open(flows, fromClient(client, vip, { sequence: 100 }), vip, endpoint, snats);
  assert.ok(flow > 0);
  follow(flows, flow, 1, fromBackend(flows, flow, { flags: 'SA', sequence: 900, acknowledgement: 101 }));
  follow(flows, flow, 0, fromClient(client, vip, { flags: 'A', sequence: 101, acknowledgement: 901 }));
  assert.equal(stateOf(flows, flow), 'established');
  return flow;
}

function counted(rows: FlowRows): number[] {
  return [0, 1, 2].map((flowClass) => rows.counts[Count.flowsInClass + flowClass]!);
}

describe('a flow', () => {
  it('is found by its packets in both directions, and by no others', () => {
    const flows = makeFlows();
    const flow = open(flows, fromClient(1, 1), 1);
    assert.equal(find(flows, fromClient(1, 1)), flow * 2);
    assert.equal(find(flows, fromBackend(flows, flow)), flow * 2 + 1);
    assert.equal(find(flows, fromClient(2, 1)), 0);
    assert.equal(find(flows, fromClient(1, 3)), 0);
    assert.equal(find(flows, fromClient(1, 1, { protocol: 'udp' })), 0);
    assert.equal(find(flows, fromBackend(flows, flow, { sourcePort: 9001 })), 0);
    assert.equal(find(flows, fromBackend(flows, flow, { destination: '10.0.0.9' })), 0);
  });

  it('takes both keys and its port with it when it ends', () => {
    const flows = makeFlows({}, makePorts(1));
    const flow = open(flows, fromClient(1, 1), 1);
    const answer = fromBackend(flows, flow);
    assert.equal(open(flows, fromClient(2, 1), 1), OpenFailure.portsExhausted);
    flows.tracker.close(flow);
    assert.deepEqual([find(flows, fromClient(1, 1)), find(flows, answer)], [0, 0]);
    assert.equal(stateOf(flows, flow), 'free');
    assert.ok(open(flows, fromClient(2, 1), 1) > 0);
  });

  it('keeps the client address and port without SNAT', () => {
    const flows = makeFlows();
    const flow = open(flows, fromClient(1, 1), 1, 1, []);
    assert.deepEqual([flows.tracker.rows.snatOf(flow), flows.tracker.rows.snatPortOf(flow)], [0, 40_001]);
    assert.equal(find(flows, fromBackend(flows, flow)), flow * 2 + 1);
  });

  it('is refused without SNAT where its answers would be those of another', () => {
    const flows = makeFlows();
    assert.ok(open(flows, fromClient(1, 1), 1, 1, []) > 0);
    assert.equal(open(flows, fromClient(1, 3), 3, 1, []), OpenFailure.keyTaken);
    assert.ok(open(flows, fromClient(1, 3), 3, 2, []) > 0, 'towards another backend they are not');
    assert.deepEqual(counted(flows.tracker.rows), [2, 0, 0]);
  });

  it('counts packets and bytes, beyond 2^32', () => {
    const flows = makeFlows();
    const flow = handshake(flows, 1);
    const { rows } = flows.tracker;
    assert.deepEqual([packetsOf(rows, flow, 0), packetsOf(rows, flow, 1)], [2, 1]);
    assert.deepEqual([bytesOf(rows, flow, 0), bytesOf(rows, flow, 1)], [80, 40]);
    const large = fromClient(1, 1, {
      flags: 'A',
      payload: new Uint8Array(60_000),
      sequence: 101,
      acknowledgement: 901,
    });
    for (let turn = 0; turn < 150_000; turn++) follow(flows, flow, 0, large);
    assert.equal(bytesOf(rows, flow, 0), 80 + 150_000 * 60_040);
    assert.equal(bytesOf(rows, flow, 1), 40);
    flows.tracker.close(flow);
    assert.equal(bytesOf(rows, open(flows, fromClient(2, 1), 1), 0), 40, 'a new one begins at nothing');
  });
});

describe('the successor of a flow', () => {
  const sourceOf = ({ tracker: { rows } }: Flows, flow: number): readonly number[] => [
    rows.snatOf(flow),
    rows.snatPortOf(flow),
  ];

  it('keeps its source, wherever the turn is by then', () => {
    const flows = makeFlows({}, makePorts(10));
    const former = open(flows, fromClient(1, 1), 1, 1, [1, 2]);
    const source = sourceOf(flows, former);
    open(flows, fromClient(3, 1), 1, 1, [1, 2]);
    assert.deepEqual(sourceOf(flows, open(flows, fromClient(1, 1), 1, 1, [1, 2], former)), source);
    assert.equal(flows.tracker.rows.counts[Count.flowsInClass], 2);
  });

  it('takes one in turn towards another backend, or when its address is given up', () => {
    const flows = makeFlows({}, makePorts(10));
    const former = open(flows, fromClient(1, 1), 1, 1, [1]);
    const second = open(flows, fromClient(1, 1), 1, 2, [1], former);
    assert.equal(find(flows, fromClient(1, 1)), second * 2);
    const third = open(flows, fromClient(1, 1), 1, 2, [2], second);
    assert.equal(flows.tracker.rows.snatOf(third), 2);
    assert.equal(flows.tracker.rows.counts[Count.flowsInClass], 1);
  });
});

describe('silence', () => {
  const rows: readonly [state: keyof typeof defaultFlowTimeouts, make: (flows: Flows) => number][] = [
    ['syn-sent', (flows) => open(flows, fromClient(1, 1), 1)],
    ['udp-new', (flows) => open(flows, fromClient(1, 2), 2)],
    ['established', (flows) => handshake(flows, 1)],
    [
      'udp-stream',
      (flows) => {
        const flow = open(flows, fromClient(1, 2), 2);
        follow(flows, flow, 1, fromBackend(flows, flow));
        return flow;
      },
    ],
    [
      'client-closing',
      (flows) => {
        const flow = handshake(flows, 1);
        follow(flows, flow, 0, fromClient(1, 1, { flags: 'FA', sequence: 101, acknowledgement: 901 }));
        return flow;
      },
    ],
    [
      'reset',
      (flows) => {
        const flow = handshake(flows, 1);
        flows.tracker.abort(flow);
        return flow;
      },
    ],
  ];
  for (const [state, make] of rows) {
    it(`ends a flow that is ${state} after its timeout and no more than two periods`, () => {
      const flows = makeFlows();
      const flow = make(flows);
      const timeout = defaultFlowTimeouts[state];
      flows.tracker.advance(timeout - 1, 100);
      assert.equal(stateOf(flows, flow), state);
      flows.tracker.advance(timeout + 2_100, 100);
      assert.equal(stateOf(flows, flow), 'free');
      assert.deepEqual(counted(flows.tracker.rows), [0, 0, 0]);
      assert.equal(flows.tracker.rows.counts[Count.expired], 1);
    });
  }

  it('is broken by every packet', () => {
    const flows = makeFlows();
    const flow = handshake(flows, 1);
    for (let hour = 1; hour <= 24; hour++) {
      flows.tracker.advance(hour * 3_600_000, 100);
      follow(flows, flow, hour & 1, fromClient(1, 1, { flags: 'A' }));
      assert.equal(stateOf(flows, flow), 'established');
    }
    flows.tracker.advance(24 * 3_600_000 + defaultFlowTimeouts.established + 3_000, 100);
    assert.equal(stateOf(flows, flow), 'free');
  });

  it('ends many flows a few at a time, and none is forgotten', () => {
    const flows = makeFlows({ halfOpenQuota: 60 });
    for (let client = 0; client < 50; client++) open(flows, fromClient(client, 2), 2);
    const now = defaultFlowTimeouts['udp-new'] + 3_000;
    for (let left = 50; left > 0; left -= 10) {
      assert.equal(flows.tracker.rows.counts[FlowClass.halfOpen], left);
      assert.equal(flows.tracker.advance(now, 10), true, 'there may be more');
    }
    assert.equal(flows.tracker.rows.counts[FlowClass.halfOpen], 0);
    assert.equal(flows.tracker.advance(now, 10), false);
  });
});

describe('pressure', () => {
  it('refuses half-open flows beyond their quota while all of them are young', () => {
    const flows = makeFlows({ halfOpenQuota: 4 });
    for (let client = 0; client < 4; client++) assert.ok(open(flows, fromClient(client, 1), 1) > 0);
    assert.equal(open(flows, fromClient(9, 1), 1), OpenFailure.halfOpenFull);
  });

  it('makes the oldest half-open flow give way once it has had its grace', () => {
    const flows = makeFlows({ halfOpenQuota: 4 });
    for (let client = 0; client < 4; client++) {
      flows.tracker.advance(client * 2_000, 100);
      open(flows, fromClient(client, 1), 1);
    }
    assert.ok(open(flows, fromClient(9, 1), 1) > 0);
    const alive = [0, 1, 2, 3, 9].map((client) => find(flows, fromClient(client, 1)) !== 0);
    assert.deepEqual(alive, [false, true, true, true, true]);
    assert.equal(flows.tracker.rows.counts[Count.evicted], 1);
  });

  it('never touches an established flow, however many knock', () => {
    const flows = makeFlows({ halfOpenQuota: 1_000 });
    const established = Array.from({ length: 40 }, (_, client) => handshake(flows, client));
    for (let client = 100; client < 1_000; client++) {
      flows.tracker.advance(client * 50, 100);
      open(flows, fromClient(client, 1), 1);
    }
    for (const [client, flow] of established.entries()) {
      assert.equal(find(flows, fromClient(client, 1)), flow * 2);
      assert.equal(stateOf(flows, flow), 'established');
    }
    const { counts } = flows.tracker.rows;
    assert.ok(counts[FlowClass.halfOpen]! + counts[FlowClass.live]! <= shape.capacity - 1);
  });

  it('refuses when the table is full of live flows, and only then', () => {
    const flows = makeFlows({ halfOpenQuota: 100 });
    for (let client = 0; client < shape.capacity - 1; client++) handshake(flows, client);
    assert.equal(open(flows, fromClient(99, 1), 1), OpenFailure.tableFull);
    const over = find(flows, fromClient(3, 1)) >> 1;
    flows.tracker.abort(over);
    assert.ok(open(flows, fromClient(99, 1), 1) > 0, 'a flow that is over makes room');
    assert.equal(find(flows, fromClient(3, 1)), 0);
  });

  it('takes a port from a flow that is over, and from no other', () => {
    const flows = makeFlows({}, makePorts(4));
    for (let client = 0; client < 4; client++) handshake(flows, client);
    assert.equal(open(flows, fromClient(9, 1), 1), OpenFailure.portsExhausted);
    assert.ok(open(flows, fromClient(9, 1), 1, 2) > 0, 'another endpoint has ports of its own');
    const over = find(flows, fromClient(2, 1)) >> 1;
    const port = flows.tracker.rows.snatPortOf(over);
    flows.tracker.abort(over);
    const next = open(flows, fromClient(10, 1), 1);
    assert.equal(flows.tracker.rows.snatPortOf(next), port);
    assert.equal(find(flows, fromClient(2, 1)), 0);
    assert.equal(find(flows, fromClient(10, 1)), next * 2);
    assert.equal(find(flows, fromBackend(flows, next)), next * 2 + 1);
  });

  it('goes to the next SNAT address when one has no port left', () => {
    const flows = makeFlows({}, makePorts(2));
    const given = Array.from({ length: 4 }, (_, client) => open(flows, fromClient(client, 1), 1, 1, [1, 2]));
    const sources = given.map(
      (flow) => `${flows.tracker.rows.snatOf(flow)}:${flows.tracker.rows.snatPortOf(flow)}`,
    );
    assert.equal(new Set(sources).size, 4);
    assert.equal(open(flows, fromClient(9, 1), 1, 1, [1, 2]), OpenFailure.portsExhausted);
  });

  it('loses no port when a flow is refused after it was given one', () => {
    // The SNAT address is the VIP, its only port the VIP's: the answer key is the key of a flow that stands.
    const ports = new PortPool({ firstPort: 80, lastPort: 80, endpoints: 4, addresses: 4, banks: 4 });
    const snatWords = book.snatWords.slice();
    snatWords.set(book.vipWords.subarray(4, 8), 4);
    const buffer = new SharedArrayBuffer(flowBufferBytes(shape));
    const flows: Flows = {
      buffer,
      tracker: new FlowTracker(buffer, options, { ...book, snatWords }, ports, 0),
    };
    const backendAsClient = fromClient(1, 1, { source: '10.0.0.2', sourcePort: 9000 });
    assert.ok(open(flows, backendAsClient, 1, 2, []) > 0);
    assert.equal(open(flows, fromClient(2, 1), 1, 1, [1]), OpenFailure.keyTaken);
    assert.equal(ports.used(1, 1), 0);
  });

  it('loses no row, whatever it refuses', () => {
    const flows = makeFlows({ halfOpenQuota: 100 }, makePorts(2));
    for (let turn = 0; turn < 200; turn++) open(flows, fromClient(turn, 1), 1);
    for (let turn = 0; turn < 200; turn++) open(flows, fromClient(1, 3), 3, 1, []);
    const { counts } = flows.tracker.rows;
    flows.tracker.advance(200_000, 1_000);
    assert.deepEqual(counted(flows.tracker.rows), [0, 0, 0]);
    for (let client = 0; client < shape.capacity - 1; client++) {
      assert.ok(open(flows, fromClient(client, 1), 1, 1, []) > 0);
    }
    assert.equal(counts[FlowClass.halfOpen], shape.capacity - 1);
  });
});

describe('a tracker that takes over', () => {
  it('knows every flow of the one before, with its port, state and time left', () => {
    const flows = makeFlows();
    const established = handshake(flows, 1);
    const halfOpen = open(flows, fromClient(2, 1), 1);
    const over = handshake(flows, 3, 1, 2);
    flows.tracker.abort(over);
    const before = counted(flows.tracker.rows);
    const answers = [established, halfOpen, over].map((flow) => fromBackend(flows, flow));
    const ports = makePorts();
    const next: Flows = { ...flows, tracker: new FlowTracker(flows.buffer, options, book, ports, 5_000) };

    assert.deepEqual(counted(next.tracker.rows), before);
    for (const [index, flow] of [established, halfOpen, over].entries()) {
      assert.equal(find(next, fromClient(index + 1, 1)), flow * 2);
      assert.equal(find(next, answers[index]!), flow * 2 + 1);
    }
    assert.deepEqual([ports.used(1, 1), ports.used(2, 1)], [2, 1]);
    assert.equal(next.tracker.rows.flowsOfEndpoint[1], 2);
    assert.equal(next.tracker.rows.flowsOfVip[1], 3);
    next.tracker.advance(13_000, 100);
    assert.deepEqual(
      [established, halfOpen, over].map((flow) => stateOf(next, flow)),
      ['established', 'syn-sent', 'free'],
    );
  });

  it('is not misled by an index, links or counts that were left half written', () => {
    const flows = makeFlows();
    const flow = handshake(flows, 1);
    const { rows } = flows.tracker;
    rows.slots.fill(0x7fff_ffff);
    rows.links.next.fill(1);
    rows.links.previous.fill(2);
    rows.counts.fill(77, 0, 3);
    const next: Flows = { ...flows, tracker: new FlowTracker(flows.buffer, options, book, makePorts(), 0) };
    assert.deepEqual(counted(next.tracker.rows), [0, 1, 0]);
    assert.equal(find(next, fromClient(1, 1)), flow * 2);
    assert.ok(open(next, fromClient(2, 1), 1) > 0);
  });
});

describe('memory', () => {
  it('is 92 bytes a flow, and 1,000,000 flows stay under 128 MB', () => {
    assert.equal(bytesPerFlow, 92);
    assert.ok(flowBufferBytes({ capacity: 1 << 20, vips: 1024, endpoints: 4096 }) <= 128_000_000);
  });
});
