import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { Instance } from '../../lib/daemon/instance.ts';
import type { CheckSpec } from '../../lib/model/spec.ts';
import { closedPort } from '../health/session/loopback.ts';
import { NetBackend, until } from '../proxy/socket/node-support.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { connectTo, greeter, running, service, tcp, to, udp, whoAnswers } from './support.ts';

const tcpCheck: CheckSpec = {
  type: 'tcp',
  intervalMs: 1_000,
  fastIntervalMs: 200,
  timeoutMs: 60_000,
  rise: 1,
  fall: 1,
};

/** Lets time pass, and real sockets answer, until something has happened. */
function passUntil(clock: ManualClock, happened: () => boolean): Promise<void> {
  return until(() => {
    clock.advance(50);
    return happened();
  });
}

function states(instance: Instance): string {
  return instance
    .backends()
    .map(({ name, state, health }) => `${name} ${state} (${health.last})`)
    .join(', ');
}

describe('the checks of a service', () => {
  it('take a backend down and bring it up again, and new flows follow', async (t) => {
    const a = await greeter(t, 'a');
    await using b = await NetBackend.start((peer) => peer.send('b'));
    const { instance, clock, port } = await running(
      t,
      service('web', [to(a.port, 'a'), to(b.port, 'b')], { check: tcpCheck }),
    );
    await passUntil(clock, () => states(instance) === 'a up (ok), b up (ok)');
    await b[Symbol.asyncDispose]();
    await passUntil(clock, () => states(instance) === 'a up (ok), b down (connection refused)');
    assert.equal(instance.status().services[0]!.backendsUp, 1);
    const answers = [await whoAnswers(t, port('web')), await whoAnswers(t, port('web'))];
    assert.deepEqual(answers, ['a', 'a']);
  });

  it('begin anew when they change, and end with their backend', async (t) => {
    const a = await greeter(t, 'a');
    const gone = await closedPort();
    const { instance, clock, reload, port } = await running(t, service('web', [to(a.port, 'a')]));
    await reload(service('web', [to(a.port, 'a'), to(gone, 'b')], { check: tcpCheck }));
    await passUntil(clock, () => states(instance) === 'a up (ok), b down (connection refused)');
    const timers = clock.pendingTimers;
    await reload(service('web', [to(a.port, 'a')], { check: tcpCheck }));
    await until(() => clock.pendingTimers < timers);
    assert.equal(await whoAnswers(t, port('web')), 'a');
    instance.close();
    await until(() => clock.pendingTimers <= 2);
  });

  it('hear of what clients meet', async (t) => {
    const a = await greeter(t, 'a');
    const refusing = await closedPort();
    const { instance, clock, port } = await running(
      t,
      service('web', [to(refusing, 'dead'), to(a.port, 'a')]),
    );
    for (let i = 0; i < 6; i++) assert.equal(await whoAnswers(t, port('web')), 'a');
    assert.equal(states(instance), 'dead down (connection refused), a up (unchecked)');
    assert.equal(instance.backends()[0]!.failures, 3);
    // Nothing else could bring it back: it is given another chance by and by.
    clock.advance(60_000);
    assert.equal(states(instance), 'dead up (on trial), a up (unchecked)');
  });

  it('take down a backend that accepts and then resets, before it has swallowed every client', async (t) => {
    const resetting = await NetBackend.start(({ socket }) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    t.after(() => resetting[Symbol.asyncDispose]());
    const a = await greeter(t, 'a');
    const { instance, port } = await running(
      t,
      service('web', [to(resetting.port, 'mad'), to(a.port, 'a')], { balance: 'least-connections' }),
    );
    for (let i = 0; i < 8; i++) {
      const client = connectTo(t, port('web'));
      client.send('request');
      await until(() => client.error !== null || client.text() !== '');
      client.reset();
    }
    assert.equal(states(instance), 'mad down (reset before an answer), a up (unchecked)');
  });

  it('move the UDP sessions of a backend that is down', async (t) => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const socket = createSocket('udp4').bind(0, '127.0.0.1');
        await once(socket, 'listening');
        socket.on('message', (_, from) => socket.send(name, from.port, from.address));
        t.after(() => socket.close());
        return { port: socket.address().port };
      }),
    );
    const check = { ...tcpCheck, type: 'exec', command: 'test -z "$DOWN$SLUICE_BACKEND"' } as const;
    const { instance, reload, clock, port } = await running(
      t,
      service('dns', [to(a!.port, 'a'), to(b!.port, 'b')], { listen: [udp()] }),
    );
    const client = createSocket('udp4');
    t.after(() => client.close());
    const answers: string[] = [];
    client.on('message', (bytes) => answers.push(bytes.toString()));
    const ask = async () => {
      const before = answers.length;
      client.send('?', port('dns'), '127.0.0.1');
      await until(() => answers.length > before);
    };
    await ask();
    const [first] = answers as ['a' | 'b'];
    const command = `test "$SLUICE_BACKEND" != ${first}`;
    await reload(
      service('dns', [to(a!.port, 'a'), to(b!.port, 'b')], { listen: [udp()], check: { ...check, command } }),
    );
    await passUntil(clock, () => states(instance).includes(`${first} down`));
    await ask();
    assert.notEqual(answers[1], first);
    assert.equal(instance.flows(9).length, 1);
  });
});

describe('a service', () => {
  it('may listen at any port twice, and gives both up', async (t) => {
    const a = await greeter(t, 'a');
    const { instance, port } = await running(t, service('web', [to(a.port)], { listen: [tcp(), tcp()] }));
    const ports = [port('web', 0), port('web', 1)];
    assert.equal(new Set(ports).size, 2);
    instance.close();
    for (const each of ports) assert.equal(await whoAnswers(t, each), 'ECONNREFUSED');
  });

  it('checks a backend at the address that its name stands for now', async (t) => {
    const a = await greeter(t, 'a');
    const { instance, clock } = await running(
      t,
      service('web', [{ ...to(a.port, 'a'), host: 'localhost' }], { check: tcpCheck }),
    );
    await passUntil(clock, () => states(instance) === 'a up (ok)');
  });
});
