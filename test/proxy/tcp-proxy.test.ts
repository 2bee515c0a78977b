import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tcpService, vip } from './support.ts';

describe('the TCP side of a service', () => {
  it('counts every client that it accepts, served or not', () => {
    const { client, pool, a, context } = tcpService({ backends: 1 });
    client();
    pool.setHealth(a, false, 'down', 0);
    client();
    assert.equal(context.connections, 2);
  });

  it('shows its flows, oldest first, as many as are asked for', () => {
    const { client, network, at, b, views, context } = tcpService();
    const peer = client('request');
    context.nowMs += 1_000;
    at(b).reception = 'never';
    client();
    network.settle();
    const shown = views(10);
    assert.deepEqual(shown, [
      {
        protocol: 'tcp',
        client: '192.0.2.1:40000',
        vip: '198.51.100.1:80',
        backend: '10.0.0.1:80',
        service: 'web',
        state: 'established',
        mode: 'proxy',
        ageMs: 1_000,
        idleMs: 1_000,
        packetsIn: null,
        packetsOut: null,
        bytesIn: 7,
        bytesOut: 0,
      },
      { ...shown[1]!, client: '192.0.2.1:40001', backend: '10.0.0.2:80', state: 'connecting', ageMs: 0 },
    ]);
    assert.deepEqual(views(1), shown.slice(0, 1));
    peer.reset();
    network.settle();
    assert.deepEqual(views(10), shown.slice(1));
  });

  it('ends the flows of one backend by FIN, in whatever state they are, and no others', () => {
    const { client, network, at, a, b, proxy, live } = tcpService();
    const [onA, onB] = [client('request'), client('request')];
    at(a).reception = 'never';
    const connecting = client();
    proxy.endFlows(a);
    network.settle();
    assert.deepEqual(
      [onA, connecting, onB].map(({ gotFin }) => gotFin),
      [true, true, false],
    );
    assert.deepEqual([a.live, b.live, live()], [0, 1, 1]);
  });

  it('ends all flows, those that wait too', () => {
    const { client, proxy, network, live, context } = tcpService({
      backends: 1,
      limits: { maxConnectionsPerBackend: 1 },
    });
    client();
    const waiting = client();
    proxy.endFlows();
    assert.equal(proxy.flows.size, 0);
    assert.equal(proxy.queued, 0);
    assert.equal(waiting.gotFin, true);
    assert.equal(network.openStreams, 0);
    assert.equal(live(), 0);
    assert.deepEqual(new Set(Object.values(context.dropped)), new Set([0]));
  });

  it('accepts nobody at a listener that refuses or is closed, and lets live flows be', () => {
    const { client, network, listener, states } = tcpService();
    const peer = client('one');
    listener.refuse();
    assert.equal(network.client(vip.port), null);
    peer.send(' two');
    network.settle();
    assert.deepEqual(states(), ['established']);
    listener.close();
    assert.deepEqual(states(), ['established']);
  });
});
