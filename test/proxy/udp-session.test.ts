import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultProxySpec } from '../../lib/model/spec.ts';
import { udpService } from './udp-support.ts';

const { udpIdleTimeoutMs } = defaultProxySpec;

describe('a UDP session', () => {
  it('carries datagrams both ways, each as it is', () => {
    const { client, at, a } = udpService({ backends: 1 });
    const peer = client();
    peer.send('question');
    peer.send('');
    at(a).answer('answer');
    at(a).answer('');
    at(a).answer('more');
    assert.deepEqual(at(a).received, ['question', '']);
    assert.equal(peer.heard, 'answer  more');
  });

  it('keeps its backend, and has one socket of its own', () => {
    const { client, at, a, b, network, proxy } = udpService();
    const [one, other] = [client(), client()];
    for (let i = 0; i < 3; i++) {
      one.send(`one ${i}`);
      other.send(`other ${i}`);
    }
    assert.deepEqual(at(a).received, ['one 0', 'one 1', 'one 2']);
    assert.deepEqual(at(b).received, ['other 0', 'other 1', 'other 2']);
    assert.equal(network.openSockets, 3);
    assert.equal(proxy.sessionCount, 2);
  });

  it('answers each client what is meant for it', () => {
    const { client, at, a } = udpService({ backends: 1 });
    const [one, other] = [client(), client()];
    one.send('one');
    other.send('other');
    const [socketOfOne, socketOfOther] = at(a).sockets;
    at(a).answer('for other', socketOfOther);
    at(a).answer('for one', socketOfOne);
    assert.deepEqual([one.heard, other.heard], ['for one', 'for other']);
  });

  it('counts datagrams and bytes for itself, its service and its backend', () => {
    const { client, at, a, views, context } = udpService({ backends: 1 });
    const peer = client();
    peer.send('12345');
    peer.send('');
    at(a).answer('123');
    const [flow] = views(1);
    assert.deepEqual([flow!.packetsIn, flow!.packetsOut, flow!.bytesIn, flow!.bytesOut], [2, 1, 5, 3]);
    assert.deepEqual([context.bytesIn, context.bytesOut, a.bytesIn, a.bytesOut], [5, 3, 5, 3]);
    assert.deepEqual([context.datagramsIn, context.datagramsOut], [2, 1]);
  });

  it('says once that its backend has answered, and so for each that it comes to have', () => {
    const { client, at, a, b, proxy, observed } = udpService();
    client().send('question');
    assert.deepEqual(observed, []);
    at(a).answer('answer');
    at(a).answer('another');
    proxy.moveSessions(a);
    at(b).answer('answer');
    assert.deepEqual(observed, ['a answered', 'b answered']);
  });

  it('counts what cannot be sent now, and goes on', () => {
    const { client, at, a, bound, context, observed } = udpService({ backends: 1 });
    const peer = client();
    peer.send('first');
    const [socket] = at(a).sockets;
    socket!.queueIsFull = true;
    peer.send('lost');
    socket!.queueIsFull = false;
    bound.queueIsFull = true;
    at(a).answer('lost');
    bound.queueIsFull = false;
    peer.send('last');
    at(a).answer('heard');
    assert.deepEqual(at(a).received, ['first', 'last']);
    assert.equal(peer.heard, 'heard');
    assert.equal(context.dropped['send-queue-full'], 2);
    assert.deepEqual(observed, ['a answered']);
  });
});

describe('the end of a UDP session', () => {
  it('comes when nothing has moved for the idle timeout', () => {
    const { client, passMs, proxy, live, network } = udpService();
    client().send('question');
    passMs(udpIdleTimeoutMs - 1);
    assert.equal(proxy.sessionCount, 1);
    passMs(1);
    assert.equal(proxy.sessionCount, 0);
    assert.equal(live(), 0);
    assert.equal(network.openSockets, 1);
  });

  it('is put off by each datagram, of the client or the backend', () => {
    const { client, passMs, proxy, at, a } = udpService();
    const peer = client();
    peer.send('question');
    passMs(udpIdleTimeoutMs - 1);
    peer.send('question');
    passMs(udpIdleTimeoutMs - 1);
    at(a).answer('answer');
    passMs(udpIdleTimeoutMs - 1);
    assert.equal(proxy.sessionCount, 1);
  });

  it('leaves the client free to begin another', () => {
    const { client, passMs, at, b, context } = udpService();
    const peer = client();
    peer.send('question');
    passMs(udpIdleTimeoutMs);
    peer.send('again');
    assert.deepEqual(at(b).received, ['again']);
    assert.equal(context.connections, 2);
  });

  it('comes with the last answer, where a number of answers is agreed', () => {
    const { client, at, a, proxy, live } = udpService({ backends: 1, limits: { udpAnswers: 2 } });
    const peer = client();
    peer.send('question');
    peer.send('another');
    for (const text of ['1', '2', '3']) at(a).answer(text);
    assert.equal(proxy.sessionCount, 1);
    at(a).answer('4');
    assert.equal(peer.heard, '1 2 3 4');
    assert.equal(proxy.sessionCount, 0);
    assert.equal(live(), 0);
  });

  it('does not come with answers where no number is agreed', () => {
    const { client, at, a, proxy } = udpService({ backends: 1 });
    client().send('question');
    for (let i = 0; i < 100; i++) at(a).answer('.');
    assert.equal(proxy.sessionCount, 1);
  });
});

describe('a UDP session whose backend refuses', () => {
  it('goes to another with the next datagram, which is sent again there', () => {
    const { client, at, a, b, live, observed } = udpService();
    at(a).refuses = true;
    const peer = client();
    peer.send('lost');
    peer.send('kept');
    assert.deepEqual(at(b).received, ['kept']);
    at(b).answer('answer');
    assert.equal(peer.heard, 'answer');
    assert.deepEqual(observed, ['a failed: ECONNREFUSED', 'b answered']);
    assert.deepEqual([a.live, b.live, live()], [0, 1, 1]);
    assert.equal(at(a).sockets[0]!.closed, true);
  });

  it('goes to another as soon as it hears of it', () => {
    const { client, at, a, b } = udpService();
    at(a).refuses = true;
    client().send('lost');
    at(a).sockets[0]!.noticeError();
    assert.deepEqual([a.live, b.live], [0, 1]);
  });

  it('ends when there is no other, so that the client may begin anew', () => {
    const { client, at, a, live, proxy, context } = udpService({ backends: 1 });
    at(a).refuses = true;
    const peer = client();
    peer.send('lost');
    peer.send('lost as well');
    assert.equal(proxy.sessionCount, 0);
    assert.equal(live(), 0);
    assert.equal(context.dropped['all-down'], 1);
    at(a).refuses = false;
    peer.send('anew');
    assert.deepEqual(at(a).received, ['anew']);
  });

  it('drops the datagram when the other cannot be sent to either', () => {
    const { client, at, a, context, proxy, network } = udpService();
    const peer = client();
    peer.send('first');
    at(a).sockets[0]!.pendingError = 'ECONNREFUSED';
    const connect = network.connect.bind(network);
    network.connect = (...to) => {
      const socket = connect(...to);
      if (typeof socket !== 'string') socket.pendingError = 'EPERM';
      return socket;
    };
    peer.send('lost');
    assert.equal(context.dropped['send-failed'], 1);
    assert.equal(proxy.sessionCount, 1);
  });
});

describe('a UDP datagram that is too large', () => {
  it('is dropped, counted, and nothing else: the backend is well and keeps the session', () => {
    const { client, at, a, network, context, observed } = udpService();
    const peer = client();
    peer.send('first');
    const [socket] = at(a).sockets;
    const send = socket!.send.bind(socket);
    socket!.send = (datagram) => (datagram.length > 10 ? 'EMSGSIZE' : send(datagram));
    peer.send('far too large');
    peer.send('last');
    assert.deepEqual(at(a).received, ['first', 'last']);
    assert.equal(context.dropped['send-failed'], 1);
    assert.deepEqual(observed, []);
    assert.equal(network.openSockets, 2);
  });

  it('costs no other datagram when only the path was too narrow for it', () => {
    const { client, at, a, observed } = udpService();
    const peer = client();
    peer.send('large');
    at(a).sockets[0]!.pendingError = 'EMSGSIZE';
    peer.send('next');
    at(a).sockets[0]!.pendingError = 'EMSGSIZE';
    at(a).sockets[0]!.noticeError();
    assert.deepEqual(at(a).received, ['large', 'next']);
    assert.deepEqual(observed, []);
  });
});

describe('a UDP client without a backend', () => {
  it('has its datagram dropped, counted, while all are down, and no session', () => {
    const { client, pool, context, proxy, network } = udpService();
    for (const backend of pool.backends) pool.setHealth(backend, false, 'down', 0);
    client().send('question');
    assert.equal(context.dropped['all-down'], 1);
    assert.equal(context.connections, 0);
    assert.equal(proxy.sessionCount, 0);
    assert.equal(network.openSockets, 1);
  });

  it('has its datagram dropped, counted, while all are full', () => {
    const { client, context, live } = udpService({ limits: { maxConnectionsPerBackend: 1 } });
    for (let i = 0; i < 3; i++) client().send('question');
    assert.equal(context.dropped['all-full'], 1);
    assert.equal(live(), 2);
  });

  it('is given another when there is no way to the first', () => {
    const { client, at, a, b, live, observed } = udpService();
    at(a).unreachable = 'ENETUNREACH';
    client().send('question');
    assert.deepEqual(at(b).received, ['question']);
    assert.deepEqual(observed, ['a failed: ENETUNREACH']);
    assert.equal(live(), 1);
  });

  it('has its datagram dropped, counted, when no retry is left', () => {
    const { client, at, a, b, context, live } = udpService({ backends: 3, limits: { retries: 1 } });
    at(a).unreachable = 'ENETUNREACH';
    at(b).unreachable = 'EHOSTUNREACH';
    client().send('question');
    assert.equal(context.dropped['connect-failed'], 1);
    assert.equal(live(), 0);
  });

  it('is no fault of the backends when this machine has no socket left', () => {
    const { client, at, a, b, context, observed } = udpService();
    at(a).unreachable = 'EMFILE';
    at(b).unreachable = 'EMFILE';
    client().send('question');
    assert.equal(context.dropped['own-resources'], 1);
    assert.deepEqual(observed, []);
  });
});
