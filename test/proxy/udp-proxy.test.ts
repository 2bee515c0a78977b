import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultProxySpec } from '../../lib/model/spec.ts';
import { tickMs } from '../../lib/proxy/context.ts';
import { type UdpClient, udpService } from './udp-support.ts';

describe('the UDP side of a service', () => {
  it('has so many sessions at the most, over all its listeners', () => {
    const { client, proxy, network, context, live } = udpService({ limits: { udpMaxSessions: 2 } });
    client().send('one');
    proxy.listen({ host: '198.51.100.2', port: 80 });
    const second = network.bound.at(-1)!;
    second.deliver('two', { host: '192.0.2.9', port: 1 });
    second.deliver('three', { host: '192.0.2.9', port: 2 });
    assert.equal(proxy.sessionCount, 2);
    assert.equal(context.dropped['table-full'], 1);
    assert.equal(live(), 2);
    second.deliver('two again', { host: '192.0.2.9', port: 1 });
    assert.equal(context.dropped['table-full'], 1);
  });

  it('tells clients apart by address, port and listener', () => {
    const { proxy, network, bound } = udpService();
    proxy.listen({ host: '198.51.100.2', port: 80 });
    const second = network.bound.at(-1)!;
    bound.deliver('.', { host: '192.0.2.1', port: 1 });
    bound.deliver('.', { host: '192.0.2.1', port: 2 });
    bound.deliver('.', { host: '192.0.2.2', port: 1 });
    second.deliver('.', { host: '192.0.2.1', port: 1 });
    assert.equal(proxy.sessionCount, 4);
  });

  it('shows its sessions, as many as are asked for', () => {
    const { client, views, context } = udpService();
    client().send('question');
    client().send('question');
    context.nowMs += 1_000;
    assert.equal(views(1).length, 1);
    assert.deepEqual(views(10)[1], {
      protocol: 'udp',
      client: '192.0.2.1:40001',
      vip: '198.51.100.1:80',
      backend: '10.0.0.2:80',
      service: 'web',
      state: 'established',
      mode: 'proxy',
      ageMs: 1_000,
      idleMs: 1_000,
      packetsIn: 1,
      packetsOut: 0,
      bytesIn: 8,
      bytesOut: 0,
    });
  });

  it('moves the sessions of a dead backend, and no others', () => {
    const { client, proxy, pool, at, a, b, c } = udpService({ backends: 3 });
    const peers = [client(), client(), client()] as const;
    for (const peer of peers) peer.send('before');
    pool.setHealth(a, false, 'down', 0);
    proxy.moveSessions(a);
    assert.deepEqual([a.live, b.live + c.live], [0, 3]);
    for (const peer of peers) peer.send('after');
    assert.deepEqual(at(a).received, ['before']);
    assert.equal(at(b).received.length + at(c).received.length, 5);
    assert.deepEqual(
      [a, b, c].map((backend) => at(backend).sockets[0]!.closed),
      [true, false, false],
    );
  });

  it('hears a backend no more once its session has moved', () => {
    const { client, proxy, at, a } = udpService();
    const peer = client();
    peer.send('question');
    proxy.moveSessions(a);
    at(a).answer('late');
    assert.equal(peer.heard, '');
  });

  it('ends the sessions of a dead backend when there is no other', () => {
    const { client, proxy, pool, a, live, context } = udpService({ backends: 1 });
    client().send('question');
    pool.setHealth(a, false, 'down', 0);
    proxy.moveSessions(a);
    assert.equal(proxy.sessionCount, 0);
    assert.equal(live(), 0);
    assert.equal(context.dropped['all-down'], 1);
  });

  it('ends the sessions of one backend, or all', () => {
    const { client, proxy, a, b, network } = udpService();
    for (let i = 0; i < 4; i++) client().send('question');
    proxy.endSessions(a);
    assert.deepEqual([a.live, b.live], [0, 2]);
    proxy.endSessions();
    assert.deepEqual([a.live, b.live], [0, 0]);
    assert.equal(network.openSockets, 1);
  });
});

describe('a UDP listener that takes no new clients', () => {
  it('answers the sessions it has, for as long as they are lively', () => {
    const { client, listener, passMs, at, a, proxy, context } = udpService({ backends: 1 });
    const peer = client();
    peer.send('first');
    listener.refuse();
    client().send('too late');
    peer.send('second');
    at(a).answer('answer');
    assert.deepEqual(at(a).received, ['first', 'second']);
    assert.equal(peer.heard, 'answer');
    assert.equal(context.connections, 1);
    for (let i = 0; i < 5; i++) {
      passMs(900);
      peer.send('.');
    }
    assert.equal(proxy.sessionCount, 1);
    passMs(1_000);
    assert.equal(proxy.sessionCount, 0);
  });

  it('gives no session more time than it has elsewhere', () => {
    const { client, listener, passMs, proxy } = udpService({ limits: { udpIdleTimeoutMs: 500 } });
    client().send('question');
    listener.refuse();
    passMs(500);
    assert.equal(proxy.sessionCount, 0);
  });
});

describe('a UDP listener that is closed', () => {
  it('ends its sessions, as it cannot answer any more, and no others', () => {
    const { client, listener, proxy, network, live } = udpService();
    const other = proxy.listen({ host: '198.51.100.2', port: 80 });
    network.bound.at(-1)!.deliver('.', { host: '192.0.2.9', port: 1 });
    const peer = client();
    peer.send('question');
    listener.close();
    peer.send('unheard');
    assert.equal(proxy.sessionCount, 1);
    assert.equal(live(), 1);
    other.close();
    assert.equal(network.openSockets, 0);
    assert.equal(live(), 0);
  });
});

describe('UDP sessions', () => {
  it('claim and release their backends once each, whatever happens', () => {
    const happenings = [
      'send',
      'send',
      'send',
      'answer',
      'refuse',
      'notice',
      'down',
      'up',
      'pass',
      'end',
    ] as const;
    const story = fc.array(fc.tuple(fc.constantFrom(...happenings), fc.nat(999)), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(2), fc.nat(3), story, (maxConnectionsPerBackend, udpAnswers, events) => {
        const limits = { maxConnectionsPerBackend, udpAnswers, udpMaxSessions: 5 };
        const { client, pool, at, network, proxy, passMs, live } = udpService({ backends: 3, limits });
        const clients: UdpClient[] = Array.from({ length: 8 }, client);
        for (const [what, which] of events) {
          const backend = pool.backends[which % 3]!;
          const socket = at(backend).sockets.at(-1);
          if (what === 'send') clients[which % 8]!.send('.');
          else if (what === 'answer') socket?.deliver('.');
          else if (what === 'refuse') at(backend).refuses = which % 2 === 0;
          else if (what === 'notice') socket?.noticeError();
          else if (what === 'down') {
            pool.setHealth(backend, false, 'down', 0);
            proxy.moveSessions(backend);
          } else if (what === 'up') pool.setHealth(backend, true, 'ok', 0);
          else if (what === 'pass') passMs(which * 10);
          else proxy.endSessions(backend);
          assert.equal(live(), proxy.sessionCount);
          assert.equal(network.openSockets, 1 + proxy.sessionCount);
          assert.ok(proxy.sessionCount <= 5);
        }
        passMs(defaultProxySpec.udpIdleTimeoutMs + tickMs);
        assert.equal(live(), 0);
        assert.equal(network.openSockets, 1);
      }),
      { numRuns: 300 },
    );
  });
});
