import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultProxySpec } from '../../lib/model/spec.ts';
import { tickMs } from '../../lib/proxy/context.ts';
import { tcpService } from './support.ts';

const { connectTimeoutMs } = defaultProxySpec;

describe('a TCP flow that connects', () => {
  it('holds the first bytes of the client until it has a backend', () => {
    const { arrive, network, states, at, a, views } = tcpService({ backends: 1 });
    at(a).reception = 'never';
    arrive('request');
    network.settle();
    assert.deepEqual(states(), ['connecting']);
    assert.deepEqual(views(1)[0]!.bytesIn, 0);
    const [, stream] = network.streams;
    assert.equal(stream!.peer.text, '');
  });

  it('sends the bytes that it has held, then those that follow', () => {
    const { client, at, a } = tcpService({ backends: 1 });
    client('a request of more than one read');
    assert.equal(at(a).peers[0]!.text, 'a request of more than one read');
  });

  it('waits with the rest while the backend does not take what was held', () => {
    const { arrive, network, at, a } = tcpService({ backends: 1 });
    const client = arrive('a request of more than one read');
    const server = at(a).peers[0]!;
    server.reading = false;
    network.settle();
    assert.ok(client.unread > 0);
    server.reading = true;
    network.settle();
    assert.equal(server.text, 'a request of more than one read');
  });

  it('passes on a FIN that came before the connection', () => {
    const { arrive, network, at, a, states } = tcpService({ backends: 1 });
    const client = arrive('').finish();
    network.settle();
    const server = at(a).peers[0]!;
    assert.equal(server.gotFin, true);
    assert.deepEqual(states(), ['closing']);
    server.send('the time of day').finish();
    network.settle();
    assert.equal(client.text, 'the time of day');
    assert.equal(client.gotFin, true);
  });

  it('gives its backend up when the client resets meanwhile', () => {
    const { arrive, network, at, a, live, proxy, observed } = tcpService({ backends: 1 });
    at(a).reception = 'never';
    const client = arrive();
    network.settle();
    assert.equal(live(), 1);
    client.reset();
    network.settle();
    assert.equal(live(), 0);
    assert.equal(proxy.flows.size, 0);
    assert.equal(network.openStreams, 0);
    assert.deepEqual(observed, []);
  });
});

describe('a backend that refuses', () => {
  it('is followed by the next one, to which the first bytes go', () => {
    const { client, at, a, b, observed, states } = tcpService();
    at(a).reception = 'ECONNREFUSED';
    const peer = client('request');
    assert.deepEqual(states(), ['established']);
    assert.equal(at(b).peers[0]!.text, 'request');
    assert.equal(peer.gotReset, false);
    assert.deepEqual(observed, ['a failed: ECONNREFUSED']);
    assert.deepEqual([a.failures, b.failures], [1, 0]);
    assert.deepEqual([a.live, b.live], [0, 1]);
  });

  it('is not asked twice by the same flow', () => {
    const { client, at, a, b, observed, context } = tcpService({ limits: { retries: 5 } });
    at(a).reception = 'ECONNREFUSED';
    at(b).reception = 'EHOSTUNREACH';
    assert.equal(client().gotReset, true);
    assert.deepEqual(observed, ['a failed: ECONNREFUSED', 'b failed: EHOSTUNREACH']);
    assert.equal(context.dropped['connect-failed'], 1);
  });

  it('costs the client a RST, counted, when no retry is left', () => {
    const { client, at, a, b, c, context, live } = tcpService({ backends: 3, limits: { retries: 1 } });
    at(a).reception = 'ECONNREFUSED';
    at(b).reception = 'ECONNREFUSED';
    assert.equal(client('request').gotReset, true);
    assert.equal(at(c).peers.length, 0);
    assert.equal(context.dropped['connect-failed'], 1);
    assert.equal(live(), 0);
  });

  it('is the only one without retries', () => {
    const { client, at, a, b } = tcpService({ limits: { retries: 0 } });
    at(a).reception = 'ECONNREFUSED';
    assert.equal(client().gotReset, true);
    assert.equal(at(b).peers.length, 0);
  });
});

describe('a backend that does not answer the connect', () => {
  it('is followed by the next one after the connect timeout', () => {
    const { client, passMs, at, a, b, observed, states } = tcpService();
    at(a).reception = 'never';
    client('request');
    passMs(connectTimeoutMs);
    assert.deepEqual(states(), ['connecting']);
    passMs(tickMs);
    assert.deepEqual(states(), ['established']);
    assert.equal(at(b).peers[0]!.text, 'request');
    assert.deepEqual(observed, ['a failed: ETIMEDOUT']);
  });

  it('has its whole time though the clock stood still before', () => {
    const { arrive, passMs, at, a, states } = tcpService({
      backends: 1,
      limits: { connectTimeoutMs: tickMs / 2 },
    });
    at(a).reception = 'never';
    arrive();
    // The flow may have begun at the very end of the tick.
    passMs(tickMs);
    assert.deepEqual(states(), ['connecting']);
    passMs(tickMs / 2);
    assert.deepEqual(states(), []);
  });

  it('has no more time because the client sends meanwhile', () => {
    const { client, network, context, passMs, at, a, states } = tcpService({ backends: 1 });
    at(a).reception = 'never';
    const peer = client();
    passMs(connectTimeoutMs);
    context.nowMs += tickMs;
    peer.send('late request');
    network.settle();
    passMs(0);
    assert.deepEqual(states(), []);
  });

  it('leaves each following backend the whole time', () => {
    const { client, passMs, at, a, b, observed } = tcpService();
    at(a).reception = 'never';
    at(b).reception = 'never';
    const peer = client();
    passMs(connectTimeoutMs + tickMs);
    passMs(connectTimeoutMs);
    assert.deepEqual(observed, ['a failed: ETIMEDOUT']);
    passMs(tickMs);
    assert.deepEqual(observed, ['a failed: ETIMEDOUT', 'b failed: ETIMEDOUT']);
    assert.equal(peer.gotReset, true);
  });
});

describe('an error of this machine', () => {
  it('does not count against the backend, and the client may have another', () => {
    const { client, at, a, b, observed, states } = tcpService();
    at(a).reception = 'EADDRNOTAVAIL';
    client('request');
    assert.deepEqual(states(), ['established']);
    assert.equal(at(b).peers[0]!.text, 'request');
    assert.deepEqual(observed, []);
    assert.equal(a.failures, 0);
  });

  for (const retries of [1, 5]) {
    it(`is counted as such when ${retries} retries do not help`, () => {
      const { client, at, a, b, observed, context } = tcpService({ limits: { retries } });
      at(a).reception = 'EMFILE';
      at(b).reception = 'EMFILE';
      assert.equal(client().gotReset, true);
      assert.deepEqual(observed, []);
      assert.equal(context.dropped['own-resources'], 1);
      assert.equal(context.dropped['connect-failed'], 0);
    });
  }
});

describe('a backend that accepts and resets before any byte has passed', () => {
  it('is followed by the next one, to which the first bytes go', () => {
    const { arrive, network, at, a, b, observed } = tcpService();
    const client = arrive();
    network.settle();
    at(a).peers[0]!.reset();
    network.settle();
    client.send('request');
    network.settle();
    assert.equal(at(b).peers[0]!.text, 'request');
    assert.equal(client.gotReset, false);
    assert.deepEqual(observed, ['a failed: ECONNRESET']);
  });

  it('is followed by the next one when the first write finds it gone', () => {
    const { arrive, network, at, a, b, observed, context, live } = tcpService();
    const client = arrive('a request of more than one read');
    at(a).peers[0]!.reset();
    network.settle();
    assert.equal(at(b).peers[0]!.text, 'a request of more than one read');
    assert.equal(client.gotReset, false);
    assert.deepEqual(observed, ['a failed: EPIPE']);
    assert.equal(context.bytesIn, 'a request of more than one read'.length);
    assert.deepEqual([a.bytesIn, live()], [0, 1]);
  });

  it('is followed by the next one when a later client write finds it gone', () => {
    const { client, network, at, a, b } = tcpService();
    const peer = client();
    at(a).peers[0]!.reset();
    peer.send('request of several reads');
    // The client is the older connection, so that its bytes are read before the RST is.
    network.settle();
    assert.equal(at(b).peers[0]!.text, 'request of several reads');
  });

  it('costs the client a RST when the next ones do so too', () => {
    const { arrive, network, at, a, b, context, live } = tcpService({ limits: { retries: 1 } });
    const client = arrive('request');
    at(a).peers[0]!.reset();
    network.step(0);
    network.step(0);
    at(b).peers[0]!.reset();
    network.settle();
    assert.equal(client.gotReset, true);
    assert.equal(context.dropped['connect-failed'], 1);
    assert.equal(context.bytesIn, 0);
    assert.equal(live(), 0);
  });
});
