import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultProxySpec } from '../../lib/model/spec.ts';
import { tickMs } from '../../lib/proxy/context.ts';
import { tcpService } from './support.ts';

const { idleTimeoutMs, halfCloseTimeoutMs } = defaultProxySpec;

function established() {
  const service = tcpService({ backends: 1 });
  const client = service.client();
  const server = service.at(service.a).peers[0]!;
  return { ...service, client, server };
}

describe('a TCP flow on which nothing moves', () => {
  it('ends by FIN on both sides after the idle timeout', () => {
    const { client, server, passMs, states, live } = established();
    passMs(idleTimeoutMs - 1);
    assert.deepEqual(states(), ['established']);
    passMs(1);
    assert.deepEqual(states(), []);
    for (const peer of [client, server]) assert.deepEqual([peer.gotFin, peer.gotReset], [true, false]);
    assert.equal(live(), 0);
  });

  it('is idle from its connection on, however long that took', () => {
    const { arrive, network, context, passMs, states } = tcpService({ backends: 1 });
    arrive();
    context.nowMs += idleTimeoutMs / 2;
    network.settle();
    passMs(idleTimeoutMs - 1);
    assert.deepEqual(states(), ['established']);
    passMs(1);
    assert.deepEqual(states(), []);
  });

  for (const side of ['client', 'server'] as const) {
    it(`begins anew with each byte of the ${side}`, () => {
      const service = established();
      const { passMs, network, states } = service;
      for (let i = 0; i < 3; i++) {
        passMs(idleTimeoutMs - 1);
        service[side].send('.');
        network.settle();
      }
      passMs(idleTimeoutMs - 1);
      assert.deepEqual(states(), ['established']);
      passMs(1);
      assert.deepEqual(states(), []);
    });

    it(`ends after the half-close timeout once the ${side} has finished`, () => {
      const service = established();
      const { passMs, network, states } = service;
      passMs(1_000);
      service[side].finish();
      network.settle();
      passMs(halfCloseTimeoutMs - 1);
      assert.deepEqual(states(), ['closing']);
      passMs(1);
      assert.deepEqual(states(), []);
      assert.equal(network.openStreams, 0);
    });
  }

  it('lives on, half closed, while the other side still sends', () => {
    const { client, server, passMs, network, states } = established();
    client.finish();
    network.settle();
    for (let i = 0; i < 3; i++) {
      passMs(halfCloseTimeoutMs - 1);
      server.send('.');
      network.settle();
    }
    assert.deepEqual(states(), ['closing']);
    assert.equal(client.text, '...');
  });

  it('follows limits that change while it lives', () => {
    const { context, passMs, states } = established();
    context.limits = { ...context.limits, idleTimeoutMs: 1_000 };
    passMs(1_000);
    assert.deepEqual(states(), []);
  });

  it('has the kernel ask both peers whether they live, once it has been silent for a while', () => {
    const { passMs, network } = established();
    const asked = () => network.streams.map(({ keepAliveSeconds }) => keepAliveSeconds > 0);
    passMs(9_999);
    assert.deepEqual(asked(), [false, false]);
    passMs(1);
    assert.deepEqual(asked(), [true, true]);
  });

  it('says how old and how idle it is', () => {
    const { client, passMs, network, views } = established();
    passMs(3_000);
    client.send('.');
    network.settle();
    passMs(tickMs);
    const [flow] = views(1);
    assert.deepEqual([flow!.ageMs, flow!.idleMs], [3_000 + tickMs, tickMs]);
  });
});
