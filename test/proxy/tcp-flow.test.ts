/**
 * Whatever happens, in whatever order: clients, backends and the kernel do things at random, and what a flow
 * promises holds after each of them. Every byte says whose it is and where it stands, so that one that goes
 * astray, comes twice or is read from a spoilt buffer is told from the one that belongs there.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BalanceName } from '../../lib/model/spec.ts';
import type { Peer, Reception } from '../support/memory-tcp.ts';
import { tcpService, vip } from './support.ts';

/** Each sender has one of 15 tags in the upper half of its bytes, and counts in the lower half. */
const mostSenders = 15;

class Sender {
  readonly peer: Peer;
  readonly #tag: number;
  sent = 0;

  constructor(peer: Peer, tag: number) {
    this.peer = peer;
    this.#tag = tag;
  }

  send(count: number): void {
    if (this.peer.sentFin || this.peer.sentReset) return;
    this.peer.send(Uint8Array.from({ length: count }, () => (this.#tag << 4) | (this.sent++ & 15)));
  }

  /** How many of its bytes `bytes` are: all of them, from its first on; 0 if it is not their sender. */
  hasSent(bytes: Uint8Array): number {
    const isOwn = bytes.every((byte, at) => byte === ((this.#tag << 4) | (at & 15)));
    return isOwn && bytes.length <= this.sent ? bytes.length : 0;
  }
}

interface World extends ReturnType<typeof tcpService> {
  readonly clients: Sender[];
  readonly servers: Sender[];
}

function newWorld(balance: BalanceName, maxConnections: number, queueLength: number): World {
  const limits = { maxConnectionsPerBackend: maxConnections, queueLength, retries: 1 };
  return { ...tcpService({ backends: 3, balance, limits }), clients: [], servers: [] };
}

/** Backends that have accepted since, which may now send. */
function meetServers({ pool, at, servers }: World): void {
  const known = new Set(servers.map(({ peer }) => peer));
  for (const peer of pool.backends.flatMap((backend) => at(backend).peers)) {
    if (!known.has(peer) && servers.length < mostSenders) servers.push(new Sender(peer, servers.length));
  }
}

/** What may happen; `one` and `other` choose whom it happens to and how much of it. */
type Happening = (world: World, one: number, other: number) => void;

const orderly: Readonly<Record<string, Happening>> = {
  arrive({ network, clients }) {
    if (clients.length === mostSenders) return;
    clients.push(new Sender(network.client(vip.port)!, clients.length));
  },
  step({ network }, one, other) {
    for (let i = 0; i <= one % 8; i++) network.step(other);
  },
  settle: ({ network }) => network.settle(),
  send: (world, one, other) => anyone(world, one)?.send(1 + (other % 30)),
  finish: (world, one) => void anyone(world, one)?.peer.finish(),
  read: (world, one) => setReading(anyone(world, one), true),
  stopReading: (world, one) => setReading(anyone(world, one), false),
};

const receptions: readonly Reception[] = ['accept', 'accept', 'never', 'ECONNREFUSED', 'EMFILE'];

const anything: Readonly<Record<string, Happening>> = {
  ...orderly,
  reset: (world, one) => void anyone(world, one)?.peer.reset(),
  receive({ pool, at }, one, other) {
    at(pool.backends[one % 3]!).reception = receptions[other % receptions.length]!;
  },
  judge({ pool }, one, other) {
    pool.setHealth(pool.backends[one % 3]!, other % 2 === 0, '', 0);
  },
  pass: (world, one) => world.passMs(one * 10),
  end({ proxy, pool }, one) {
    proxy.endFlows(pool.backends[one % 3]!);
  },
};

function anyone({ clients, servers }: World, one: number): Sender | undefined {
  const all = [...clients, ...servers];
  return all[one % all.length];
}

function setReading(sender: Sender | undefined, reading: boolean): void {
  if (sender !== undefined) sender.peer.reading = reading;
}

/** What holds at every moment. */
function check({ clients, servers, pool, at, proxy, live, states, views }: World): void {
  const placed = views().filter(({ backend }) => backend !== null);
  for (const backend of pool.backends) {
    const address = `${backend.host}:${backend.port}`;
    assert.equal(backend.live, placed.filter((flow) => flow.backend === address).length, 'claims');
  }
  assert.equal(live(), placed.length);
  assert.equal(proxy.queued, states().filter((state) => state === 'queued').length);

  const heard = pool.backends.flatMap((backend) => at(backend).peers).filter(({ bytes }) => bytes.length > 0);
  for (const { bytes } of heard) {
    assert.equal(
      clients.filter((client) => client.hasSent(bytes) > 0).length,
      1,
      `from ${bytes.toString('hex')}`,
    );
  }
  for (const client of clients) {
    assert.ok(heard.filter(({ bytes }) => client.hasSent(bytes) > 0).length <= 1, 'one backend per client');
    const { bytes } = client.peer;
    if (bytes.length > 0) {
      assert.equal(servers.filter((server) => server.hasSent(bytes) > 0).length, 1, bytes.toString('hex'));
    }
  }
}

function run(world: World, story: readonly [string, number, number][]): void {
  for (const [name, one, other] of story) {
    anything[name]!(world, one, other);
    meetServers(world);
    check(world);
  }
}

function storyOf(happenings: Readonly<Record<string, Happening>>) {
  const names = Object.keys(happenings);
  // Without many arrivals and steps little else could happen.
  const name = fc.constantFrom('arrive', 'step', 'step', 'send', ...names);
  return fc.array(fc.tuple(name, fc.nat(999), fc.nat(999)), { minLength: 1, maxLength: 80 });
}

const balances = fc.constantFrom<BalanceName>('round-robin', 'least-connections', 'maglev');

describe('a TCP flow', () => {
  it('keeps its promises whatever happens, and leaves nothing behind', () => {
    fc.assert(
      fc.property(
        balances,
        fc.nat(2),
        fc.nat(4),
        storyOf(anything),
        (balance, maxConnections, queueLength, story) => {
          const world = newWorld(balance, maxConnections, queueLength);
          run(world, story);
          const { clients, proxy, network, passMs, context } = world;
          // Long enough for every timeout, one after the other.
          for (let i = 0; i < 6; i++) passMs(400_000);
          check(world);
          assert.equal(proxy.flows.size, 0);
          assert.equal(network.openStreams, 0);
          assert.equal(context.connections, clients.length);
          for (const { peer } of clients) assert.ok(peer.gotFin || peer.gotReset);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('delivers every byte and every FIN, in order and once, where nobody fails', () => {
    fc.assert(
      fc.property(balances, fc.nat(2), storyOf(orderly), (balance, maxConnections, story) => {
        const world = newWorld(balance, maxConnections, mostSenders);
        run(world, story);
        const { clients, servers, proxy, network, context, pool, at } = world;
        // Those that wait are served as others end.
        for (let served = -1; served < servers.length; ) {
          served = servers.length;
          for (const { peer } of [...clients, ...servers]) {
            peer.reading = true;
            peer.finish();
          }
          network.settle();
          meetServers(world);
        }
        check(world);
        assert.equal(proxy.flows.size, 0);
        assert.deepEqual(new Set(Object.values(context.dropped)), new Set([0]));
        const peers = pool.backends.flatMap((backend) => at(backend).peers);
        assert.equal(peers.length, clients.length);
        for (const peer of [...peers, ...clients.map((client) => client.peer)]) {
          assert.deepEqual([peer.gotFin, peer.gotReset], [true, false]);
        }
        const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
        const [sentIn, sentOut] = [clients, servers].map((senders) => sum(senders.map(({ sent }) => sent)));
        assert.deepEqual([context.bytesIn, context.bytesOut], [sentIn, sentOut]);
        assert.equal(sum(peers.map(({ bytes }) => bytes.length)), sentIn);
        assert.equal(sum(clients.map(({ peer }) => peer.bytes.length)), sentOut);
      }),
      { numRuns: 300 },
    );
  });
});
