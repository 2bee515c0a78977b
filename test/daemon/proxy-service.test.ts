import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { Instance } from '../../lib/daemon/instance.ts';
import { ProxyService } from '../../lib/daemon/proxy-service.ts';
import { silentLog } from '../../lib/model/log.ts';
import { type CheckSpec, defaultHashSeed } from '../../lib/model/spec.ts';
import { closedPort } from '../health/session/loopback.ts';
import { NetBackend, rest, until } from '../proxy/socket/node-support.ts';
import { ManualClock } from '../support/manual-clock.ts';
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

  it('begin anew when they change', async (t) => {
    const gone = await closedPort();
    const { instance, clock, reload } = await running(t, service('web', [to(gone, 'a')]));
    await passUntil(clock, () => states(instance) === 'a up (unchecked)');
    await reload(service('web', [to(gone, 'a')], { check: tcpCheck }));
    await passUntil(clock, () => states(instance) === 'a down (connection refused)');
  });

  it('end with their backend, and with the service', async (t) => {
    const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
    const { instance, clock, reload } = await running(
      t,
      service('web', [to(a.port, 'a'), to(b.port, 'b')], { check: tcpCheck }),
    );
    const checks = () => [a.accepted.length, b.accepted.length] as const;
    await passUntil(clock, () => checks()[0] > 1 && checks()[1] > 1);
    await reload(service('web', [to(a.port, 'a')], { check: tcpCheck }));
    await rest();
    const [, checksOfB] = checks();
    const [checksOfA] = checks();
    await passUntil(clock, () => checks()[0] > checksOfA + 2);
    assert.equal(checks()[1], checksOfB);
    instance.close();
    await rest();
    const last = checks();
    for (let i = 0; i < 10; i++) clock.advance(1_000);
    await rest();
    assert.deepEqual(checks(), last);
  });

  it('follow a backend to another address', async (t) => {
    const a = await greeter(t, 'a');
    const clock = new ManualClock();
    const spec = service('web', [{ ...to(a.port, 'a'), host: 'web.internal' }], { check: tcpCheck });
    const surroundings = { clock, random: Math.random, log: silentLog, hashSeed: defaultHashSeed };
    const web = new ProxyService(spec, () => '127.0.0.1', surroundings);
    t.after(() => web.close());
    const [backend] = web.pool.backends;
    web.check();
    await passUntil(clock, () => backend!.healthLast === 'ok');
    // An address of the loopback as well, where nobody listens.
    web.update(spec, () => '127.0.0.2');
    await passUntil(clock, () => !backend!.up);
    assert.equal(backend!.address, '127.0.0.2');
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
    const backends = [to(a!.port, 'a'), to(b!.port, 'b')];
    const { instance, reload, clock, port } = await running(t, service('dns', backends, { listen: [udp()] }));
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
    const check: CheckSpec = { ...tcpCheck, type: 'exec', command };
    await reload(service('dns', backends, { listen: [udp()], check }));
    await passUntil(clock, () => states(instance).includes(`${first} down`));
    await ask();
    assert.notEqual(answers[1], first);
    assert.equal(instance.flows({ limit: 9 }).flows.length, 1);
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
});
