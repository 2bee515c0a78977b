import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultProxySpec } from '../../lib/model/spec.ts';
import { tickMs } from '../../lib/proxy/context.ts';
import { tcpService } from './support.ts';

const { queueTimeoutMs } = defaultProxySpec;

/** Each backend holds one connection, and each does. */
function full(options: Parameters<typeof tcpService>[0] = {}) {
  const { limits, ...others } = options;
  const service = tcpService({ ...others, limits: { ...limits, maxConnectionsPerBackend: 1 } });
  const holders = service.pool.backends.map(() => service.client('holder'));
  assert.ok(service.pool.backends.every(({ live }) => live === 1));
  return { ...service, holders };
}

describe('a TCP flow that no backend has room for', () => {
  it('waits, its first bytes with it, and is served when there is room', () => {
    const { client, holders, network, states, proxy, views, at, a } = full({ backends: 1 });
    const peer = client('a request of more than one read');
    assert.deepEqual(states(), ['established', 'queued']);
    assert.equal(proxy.queued, 1);
    assert.equal(views(2)[1]!.backend, null);
    holders[0]!.reset();
    network.settle();
    assert.deepEqual(states(), ['established']);
    assert.equal(proxy.queued, 0);
    assert.equal(at(a).peers[1]!.text, 'a request of more than one read');
    assert.equal(peer.gotReset, false);
  });

  it('is served in the order of arrival, by whichever backend has room', () => {
    const { client, holders, network, at, a, b } = full();
    client('first');
    client('second');
    client('third');
    holders[1]!.reset();
    holders[0]!.reset();
    network.settle();
    assert.deepEqual(
      [at(a), at(b)].map(({ peers }) => peers.slice(1).map(({ text }) => text)),
      [['first'], ['second']],
    );
    network.streams.find(({ peer }) => peer.text === 'first')!.peer.reset();
    network.settle();
    assert.equal(at(a).peers.at(-1)!.text, 'third');
  });

  it('is served when a backend comes up, or the limit rises', () => {
    const { client, pool, states, network, a, b } = full();
    pool.setHealth(b, false, 'down', 0);
    client('first');
    client('second');
    pool.setHealth(b, true, 'ok', 0);
    assert.deepEqual(states(), ['established', 'established', 'queued', 'queued']);
    const specs = pool.backends.map(({ name, host, port, weight }) => ({ name, host, port, weight }));
    pool.update(specs, { balance: 'round-robin', whenAllDown: 'reject', noticeMs: 0, maxConnections: 2 }, 0);
    network.settle();
    assert.deepEqual(states(), ['established', 'established', 'established', 'established']);
    assert.deepEqual([a.live, b.live], [2, 2]);
  });

  it('is turned away, counted, when the queue is full', () => {
    const { client, context, live, proxy } = full({ backends: 1, limits: { queueLength: 2 } });
    const waiting = [client(), client()];
    assert.equal(client().gotReset, true);
    assert.equal(context.dropped['queue-full'], 1);
    assert.equal(proxy.queued, 2);
    assert.equal(live(), 1);
    assert.deepEqual(
      waiting.map(({ gotReset }) => gotReset),
      [false, false],
    );
  });

  it('is turned away at once where nobody may wait', () => {
    const { client, context } = full({ backends: 1, limits: { queueLength: 0 } });
    assert.equal(client().gotReset, true);
    assert.equal(context.dropped['queue-full'], 1);
  });

  it('is turned away, counted, when it has waited too long', () => {
    const { client, passMs, context, proxy } = full({ backends: 1 });
    const peer = client('request');
    passMs(queueTimeoutMs);
    assert.equal(peer.gotReset, false);
    passMs(tickMs);
    assert.equal(peer.gotReset, true);
    assert.equal(context.dropped['queue-timeout'], 1);
    assert.equal(proxy.queued, 0);
  });

  it('waits no longer because its client sends meanwhile', () => {
    const { client, network, context, passMs } = full({ backends: 1 });
    const peer = client();
    passMs(queueTimeoutMs);
    context.nowMs += tickMs;
    peer.send('late request');
    network.settle();
    passMs(0);
    assert.equal(peer.gotReset, true);
  });

  it('gives its seat up when its client resets', () => {
    const { client, network, proxy, context } = full({ backends: 1, limits: { queueLength: 1 } });
    client().reset();
    network.settle();
    assert.equal(proxy.queued, 0);
    client();
    assert.equal(context.dropped['queue-full'], 0);
  });

  it('keeps its seat when its client has finished, and passes the FIN on', () => {
    const { client, holders, network, at, a } = full({ backends: 1 });
    const peer = client().finish();
    network.settle();
    holders[0]!.reset();
    network.settle();
    const server = at(a).peers[1]!;
    assert.equal(server.gotFin, true);
    server.send('answer').finish();
    network.settle();
    assert.equal(peer.text, 'answer');
    assert.equal(peer.gotFin, true);
  });

  it('has the connect timeout before it once it has waited', () => {
    const { client, holders, network, passMs, at, a, states } = full({ backends: 1 });
    client();
    passMs(queueTimeoutMs);
    at(a).reception = 'never';
    holders[0]!.reset();
    network.settle();
    passMs(defaultProxySpec.connectTimeoutMs);
    assert.deepEqual(states(), ['connecting']);
    passMs(tickMs);
    assert.deepEqual(states(), []);
  });
});

describe('a TCP flow that has failed on the backend with room', () => {
  /** It has failed on `a`, which has room again, and waits for `b`. */
  function picky() {
    const service = full();
    const { arrive, holders, network, at, a, states } = service;
    at(a).reception = 'ECONNREFUSED';
    holders[0]!.reset();
    network.settle();
    const peer = arrive('picky');
    network.settle();
    assert.deepEqual(states(), ['established', 'queued']);
    assert.equal(a.live, 0);
    at(a).reception = 'accept';
    return { ...service, peer };
  }

  it('waits for another, its first bytes with it', () => {
    const { holders, network, at, b, peer } = picky();
    holders[1]!.reset();
    network.settle();
    assert.equal(at(b).peers[1]!.text, 'picky');
    assert.equal(peer.gotReset, false);
  });

  it('has the whole queue timeout before it, however long it has tried to connect', () => {
    const { arrive, holders, network, at, a, states, passMs } = full();
    at(a).reception = 'never';
    holders[0]!.reset();
    network.settle();
    arrive();
    passMs(defaultProxySpec.connectTimeoutMs + tickMs);
    assert.deepEqual(states(), ['established', 'queued']);
    passMs(queueTimeoutMs);
    assert.deepEqual(states(), ['established', 'queued']);
    passMs(tickMs);
    assert.deepEqual(states(), ['established']);
  });

  it('does not keep the room from those behind it', () => {
    const { client, network, states, a, at } = picky();
    const second = client('second');
    client('third');
    assert.deepEqual(states(), ['established', 'queued', 'established', 'queued']);
    second.reset();
    network.settle();
    assert.equal(at(a).peers.at(-1)!.text, 'third');
    assert.deepEqual(states(), ['established', 'queued', 'established']);
  });
});

describe('a TCP flow that belongs to one backend', () => {
  /** Two clients of different backends, each of which holds one connection at the most. */
  function twoOwners() {
    const service = tcpService({ balance: 'source', limits: { maxConnectionsPerBackend: 1 } });
    const { client, a, b } = service;
    const holder = client('holder', '192.0.2.1');
    for (let last = 2; ; last++) {
      const other = `192.0.2.${last}`;
      const peer = client('', other);
      const found = a.live + b.live === 2;
      peer.reset();
      service.network.settle();
      if (found) return { ...service, holder, one: '192.0.2.1', other };
    }
  }

  it('goes where its client went before', () => {
    const { client, pool } = tcpService({ balance: 'source' });
    for (let i = 0; i < 4; i++) client();
    assert.deepEqual(pool.backends.map(({ live }) => live).toSorted(), [0, 4]);
  });

  it('waits for that one though another has room', () => {
    const { client, holder, network, one, live, states } = twoOwners();
    client('faithful', one);
    assert.equal(live(), 1);
    assert.deepEqual(states(), ['established', 'queued']);
    holder.reset();
    network.settle();
    assert.deepEqual(states(), ['established']);
  });

  it('lets those behind it pass', () => {
    const { client, network, one, other, live, states } = twoOwners();
    const otherHolder = client('other holder', other);
    client('waits', one);
    const behind = client('passes', other);
    assert.deepEqual(states(), ['established', 'established', 'queued', 'queued']);
    otherHolder.reset();
    network.settle();
    assert.deepEqual(states(), ['established', 'queued', 'established']);
    assert.equal(behind.unread, 0);
    assert.equal(live(), 2);
  });
});

describe('a TCP flow when every backend is down', () => {
  function allDown(whenAllDown: 'reject' | 'drop' | 'last-known') {
    const service = tcpService({ whenAllDown });
    for (const [ms, backend] of service.pool.backends.entries()) {
      service.pool.setHealth(backend, false, 'down', ms);
    }
    return service;
  }

  it('is turned away at once, counted, under `reject`', () => {
    const { client, context, live } = allDown('reject');
    assert.equal(client('request').gotReset, true);
    assert.equal(context.dropped['all-down'], 1);
    assert.equal(live(), 0);
  });

  it('is left without an answer under `drop`, for as long as a queue lasts', () => {
    const { client, passMs, states, context } = allDown('drop');
    const peer = client('request');
    assert.deepEqual(states(), ['queued']);
    passMs(queueTimeoutMs);
    assert.equal(peer.gotReset || peer.gotFin, false);
    passMs(tickMs);
    assert.equal(peer.gotReset, true);
    assert.equal(context.dropped['queue-timeout'], 1);
  });

  it('is served under `drop` by a backend that comes up in time', () => {
    const { client, pool, network, at, b } = allDown('drop');
    client('request');
    pool.setHealth(b, true, 'ok', 0);
    network.settle();
    assert.equal(at(b).peers[0]!.text, 'request');
  });

  it('is placed all the same under `last-known`', () => {
    const { client, at, b } = allDown('last-known');
    client('request');
    // The last that was known to be up.
    assert.equal(at(b).peers[0]!.text, 'request');
  });

  it('is turned away under `drop` too when it was the one to find out', () => {
    const { arrive, network, pool, at, a, b, context } = tcpService({ whenAllDown: 'drop' });
    at(a).reception = 'ECONNREFUSED';
    const peer = arrive();
    for (const backend of [a, b]) pool.setHealth(backend, false, 'down', 0);
    network.settle();
    assert.equal(peer.gotReset, true);
    assert.equal(context.dropped['connect-failed'], 1);
  });
});
