import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readBufferBytes } from '../support/memory-tcp.ts';
import { tcpService } from './support.ts';

type Service = ReturnType<typeof tcpService>;

/** An established flow, its two peers, and all that is around it. */
function established(options: Parameters<typeof tcpService>[0] = {}) {
  const service = tcpService({ backends: 1, ...options });
  const client = service.client();
  const server = service.at(service.a).peers[0]!;
  assert.deepEqual(service.states(), ['established']);
  return { ...service, client, server };
}

/** What holds once the last flow has ended. */
function assertAllOver({ proxy, network, live }: Pick<Service, 'proxy' | 'network' | 'live'>): void {
  assert.equal(proxy.flows.size, 0);
  assert.equal(network.openStreams, 0);
  assert.equal(live(), 0);
}

describe('an established TCP flow', () => {
  it('carries bytes both ways, in order, in as many reads as it takes', () => {
    const { client, server, network } = established();
    const request = 'a request that is longer than one read buffer';
    const answer = 'an answer that is longer than one read buffer as well';
    assert.ok(request.length > 3 * readBufferBytes);
    client.send(request);
    server.send(answer);
    network.settle();
    assert.equal(server.text, request);
    assert.equal(client.text, answer);
  });

  it('counts bytes for itself, its service and its backend', () => {
    const { client, server, network, views, context, a } = established();
    client.send('12345');
    server.send('1234567890');
    network.settle();
    const [flow] = views(1);
    assert.deepEqual([flow!.bytesIn, flow!.bytesOut], [5, 10]);
    assert.deepEqual([context.bytesIn, context.bytesOut], [5, 10]);
    assert.deepEqual([a.bytesIn, a.bytesOut], [5, 10]);
  });

  it('says once that its backend has answered, with the first byte', () => {
    const { server, network, observed } = established();
    assert.deepEqual(observed, []);
    server.send('an answer of several reads');
    network.settle();
    assert.deepEqual(observed, ['a answered']);
  });

  it('says that its backend has answered when that finishes in order without a byte', () => {
    const { client, server, network, observed } = established();
    client.send('log line').finish();
    network.settle();
    server.finish();
    network.settle();
    assert.deepEqual(observed, ['a answered']);
  });

  it('stops reading the client while the backend does not read, and loses nothing', () => {
    const { client, server, network } = established();
    server.reading = false;
    client.send('more than fits into one read');
    network.settle();
    assert.equal(server.text, '');
    assert.equal(client.unread, 'more than fits into one read'.length - readBufferBytes);
    server.reading = true;
    network.settle();
    assert.equal(server.text, 'more than fits into one read');
  });

  it('stops reading the backend while the client does not read, and loses nothing', () => {
    const { client, server, network } = established();
    client.reading = false;
    server.send('more than fits into one read').finish();
    network.settle();
    assert.equal(client.text, '');
    assert.equal(client.gotFin, false);
    client.reading = true;
    network.settle();
    assert.equal(client.text, 'more than fits into one read');
    assert.equal(client.gotFin, true);
  });

  it('goes on in one direction while the other stands still', () => {
    const { client, server, network } = established();
    server.reading = false;
    client.send('upload that is not taken');
    server.send('download');
    network.settle();
    assert.equal(client.text, 'download');
  });
});

describe('the end of a TCP flow', () => {
  it('passes on the FIN of the client behind its bytes, and the answers that follow', () => {
    const service = established();
    const { client, server, network, states } = service;
    client.send('whole request').finish();
    network.settle();
    assert.equal(server.text, 'whole request');
    assert.equal(server.gotFin, true);
    assert.equal(client.gotFin, false);
    assert.deepEqual(states(), ['closing']);
    server.send('answer after the FIN').finish();
    network.settle();
    assert.equal(client.text, 'answer after the FIN');
    assert.equal(client.gotFin, true);
    assert.equal(client.gotReset || server.gotReset, false);
    assertAllOver(service);
  });

  it('passes on the FIN of the backend behind its bytes, and the bytes of the client that follow', () => {
    const service = established();
    const { client, server, network, states } = service;
    server.send('greeting').finish();
    network.settle();
    assert.equal(client.text, 'greeting');
    assert.equal(client.gotFin, true);
    assert.equal(server.gotFin, false);
    assert.deepEqual(states(), ['closing']);
    client.send('upload after the FIN').finish();
    network.settle();
    assert.equal(server.text, 'upload after the FIN');
    assert.equal(server.gotFin, true);
    assert.equal(client.gotReset || server.gotReset, false);
    assertAllOver(service);
  });

  for (const [side, other] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    it(`passes on a RST of the ${side} as a RST`, () => {
      const service = established();
      service.server.send('an answer');
      service.network.settle();
      service[side].reset();
      service.network.settle();
      assert.equal(service[other].gotReset, true);
      assert.equal(service[other].gotFin, false);
      assertAllOver(service);
    });

    it(`passes on a RST that the ${side} sends after the FIN of the ${other}`, () => {
      const service = established();
      service[other].finish();
      service.network.settle();
      service[side].reset();
      service.network.settle();
      assert.equal(service[other].gotReset, true);
      assertAllOver(service);
    });

    it(`is a RST for the ${other} when what it sends can no longer be written to the ${side}`, () => {
      const service = established();
      service.server.send('an answer');
      service.network.settle();
      service[side].reading = false;
      service[other].send('lost');
      service.network.settle();
      service[side].reset();
      service.network.settle();
      assert.equal(service[other].gotReset, true);
      assertAllOver(service);
    });
  }

  it('passes on the bytes that came before a RST', () => {
    const { client, server, network } = established();
    server.send('last words, longer than a read').reset();
    network.settle();
    assert.equal(client.text, 'last words, longer than a read');
    assert.equal(client.gotReset, true);
  });

  it('counts no bytes that could not be written', () => {
    const { client, server, network, context } = established();
    server.send('an answer');
    network.settle();
    server.reset();
    client.send('too late');
    // The bytes come first: the proxy learns of the RST by writing them.
    network.step(0);
    assert.equal(context.bytesIn, 0);
    assert.equal(client.gotReset, true);
  });

  it('is a RST and a failure of the backend when that resets instead of an answer', () => {
    const service = established({ backends: 2 });
    const { client, server, network, observed, a, at, b, context } = service;
    client.send('request');
    network.settle();
    server.reset();
    network.settle();
    assert.equal(client.gotReset, true);
    assert.equal(a.failures, 1);
    assert.deepEqual(observed, ['a failed: reset before an answer']);
    assert.equal(at(b).peers.length, 0);
    assert.equal(context.dropped['connect-failed'], 0);
    assertAllOver(service);
  });

  it('is no failure of a backend that has answered', () => {
    const { server, network, observed, a } = established();
    server.send('answer');
    network.settle();
    server.reset();
    network.settle();
    assert.equal(a.failures, 0);
    assert.deepEqual(observed, ['a answered']);
  });

  it('is no failure of a backend that resets a client that had finished', () => {
    const { client, server, network, a } = established();
    client.send('request').finish();
    network.settle();
    server.reset();
    network.settle();
    assert.equal(a.failures, 0);
    assert.equal(client.gotReset, true);
  });

  it('never gives another backend to a client that was sent a FIN', () => {
    const service = established({ backends: 2 });
    const { client, server, network, at, b } = service;
    server.finish();
    network.settle();
    assert.equal(client.gotFin, true);
    server.reset();
    // By the request that it meets, as nothing is read behind a FIN.
    client.send('request');
    network.settle();
    assert.equal(client.gotReset, true);
    assert.equal(at(b).peers.length, 0);
    assertAllOver(service);
  });

  it('leaves room for the next', () => {
    const { client, network, states, arrive } = established({ limits: { maxConnectionsPerBackend: 1 } });
    const next = arrive('next');
    assert.deepEqual(states(), ['established', 'queued']);
    client.reset();
    network.settle();
    assert.deepEqual(states(), ['established']);
    assert.equal(next.gotReset, false);
  });
});
