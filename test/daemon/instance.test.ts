import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { SluiceError } from '../../lib/model/errors.ts';
import { defaultDrainMs } from '../../lib/model/spec.ts';
import { closedPort } from '../health/session/loopback.ts';
import { rest, until } from '../proxy/socket/node-support.ts';
import { freePort, isListening } from '../support/ports.ts';
import {
  aTick,
  connectTo,
  conversation,
  greeter,
  instanceSpec,
  newInstance,
  running,
  service,
  tcp,
  to,
  udp,
  whoAnswers,
} from './support.ts';

describe('an instance that starts', () => {
  it('serves every service at every address of it', async (t) => {
    const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
    const { instance, port } = await running(
      t,
      service('one', [to(a.port)], { listen: [tcp(), tcp()] }),
      service('two', [to(b.port)]),
    );
    assert.equal(instance.ready, true);
    assert.equal(await whoAnswers(t, port('one', 0)), 'a');
    assert.equal(await whoAnswers(t, port('one', 1)), 'a');
    assert.equal(await whoAnswers(t, port('two')), 'b');
  });

  it('looks names up', async (t) => {
    const a = await greeter(t, 'a');
    const { port, instance } = await running(t, service('web', [{ ...to(a.port), host: 'localhost' }]));
    assert.equal(await whoAnswers(t, port('web')), 'a');
    assert.equal(instance.backends()[0]!.address, `127.0.0.1:${a.port}`);
  });

  it('is refused where a name does not resolve, and leaves nothing bound', async (t) => {
    const listen = [tcp(await freePort())];
    const spec = instanceSpec(service('web', [{ ...to(80), host: 'nowhere.invalid' }], { listen }));
    const instance = newInstance(t, spec);
    await assert.rejects(
      instance.start(),
      (error) =>
        error instanceof SluiceError &&
        error.code === 'ERR_SLUICE_UNRESOLVED' &&
        error.message === '"nowhere.invalid" does not resolve to an address',
    );
    assert.equal(instance.ready, false);
    assert.equal(await whoAnswers(t, listen[0]!.port), 'ECONNREFUSED');
  });

  it('is refused where a port is taken, and leaves nothing bound', async (t) => {
    const a = await greeter(t, 'a');
    const free = await freePort();
    const instance = newInstance(
      t,
      instanceSpec(
        service('first', [to(a.port)], { listen: [tcp(free)] }),
        service('second', [to(a.port)], { listen: [tcp(a.port)] }),
      ),
    );
    await assert.rejects(instance.start(), { code: 'ERR_SLUICE_ADDRESS_IN_USE' });
    assert.equal(await whoAnswers(t, free), 'ECONNREFUSED');
    assert.deepEqual(instance.status().services, []);
  });

  it('binds nothing when it is stopped before it has begun', async (t) => {
    const listen = [tcp(await freePort())];
    const instance = newInstance(t, instanceSpec(service('web', [to(80)], { listen })));
    const starting = instance.start();
    instance.stop();
    await instance.stopped;
    await starting;
    assert.equal(instance.ready, false);
    assert.equal(await whoAnswers(t, listen[0]!.port), 'ECONNREFUSED');
  });
});

describe('an instance', () => {
  it('says what it is and how it fares', async (t) => {
    const a = await greeter(t, 'hello');
    const { instance, port, clock } = await running(
      t,
      service('web', [to(a.port, 'a'), to(await closedPort(), 'b')], { listen: [tcp(), udp()] }),
    );
    const { goesOn } = await conversation(t, port('web'), a);
    await goesOn();
    clock.advance(1_500);
    const { services, ...status } = instance.status();
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    assert.deepEqual(status, {
      ...{ name: 'edge', version, pid: process.pid, state: 'serving', uptimeMs: 1_500 },
      dropped: {},
      reloads: { applied: 0, refused: 0, last: null },
    });
    const [{ dropped, ...web }] = services as [(typeof services)[number]];
    assert.deepEqual(web, {
      name: 'web',
      mode: 'proxy',
      listen: `tcp://127.0.0.1:${port('web', 0)},udp://127.0.0.1:${port('web', 1)}`,
      balance: 'round-robin',
      backends: 2,
      backendsUp: 2,
      flows: 1,
      queued: 0,
      connections: 1,
      packetsIn: null,
      packetsOut: null,
      bytesIn: 1,
      bytesOut: 6,
    });
    assert.ok(Object.keys(dropped).includes('all-down'));
    assert.deepEqual(instance.backends()[0], {
      service: 'web',
      name: 'a',
      address: `127.0.0.1:${a.port}`,
      weight: 1,
      state: 'up',
      health: { last: 'unchecked', sinceMs: 0, latencyMs: null, checks: [], passed: 0, failed: 0 },
      sourcePorts: null,
      packetsIn: null,
      packetsOut: null,
      flows: 1,
      connections: 1,
      failures: 0,
      bytesIn: 1,
      bytesOut: 6,
      history: [{ state: 'up', reason: 'unchecked', agoMs: 0 }],
    });
  });

  it('shows the flows of all services, oldest first, as many as are asked for', async (t) => {
    const a = await greeter(t, 'a');
    const { instance, clock, port } = await running(
      t,
      service('one', [to(a.port)]),
      service('two', [to(a.port)]),
    );
    await conversation(t, port('two'), a);
    clock.advance(1_000);
    // A service learns the time with a tick.
    await until(() => instance.flows({ limit: 1 }).flows[0]!.ageMs === 1_000);
    await conversation(t, port('one'), a);
    assert.deepEqual(
      instance.flows({ limit: 9 }).flows.map((flow) => [flow.service, flow.ageMs]),
      [
        ['two', 1_000],
        ['one', 0],
      ],
    );
    assert.deepEqual(
      instance.flows({ limit: 1 }).flows.map((flow) => flow.service),
      ['two'],
    );
  });
});

describe('a person who sets a backend', () => {
  async function twoServices(t: Parameters<typeof running>[0]) {
    const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
    const backends = [to(a.port, 'a'), to(b.port, 'b')];
    return { a, b, ...(await running(t, service('one', backends), service('two', backends))) };
  }

  const answers = async (t: Parameters<typeof running>[0], port: number) =>
    (await Promise.all([1, 2, 3, 4].map(() => whoAnswers(t, port)))).toSorted().join('');

  it('keeps new flows from one that drains, in every service, and none that it has', async (t) => {
    const { instance, port, a } = await twoServices(t);
    const { goesOn } = await conversation(t, port('one'), a);
    const views = instance.patchBackend(undefined, 'a', { state: 'draining' });
    assert.deepEqual(
      views.map((view) => [view.service, view.name, view.state]),
      [
        ['one', 'a', 'draining'],
        ['two', 'a', 'draining'],
      ],
    );
    assert.equal(await answers(t, port('one')), 'bbbb');
    assert.equal(await answers(t, port('two')), 'bbbb');
    await goesOn();
    instance.patchBackend(undefined, 'a', { state: 'enabled' });
    assert.equal(await answers(t, port('two')), 'aabb');
  });

  it('may mean one service, and name the backend by its address', async (t) => {
    const { instance, port, a } = await twoServices(t);
    const [view, ...others] = instance.patchBackend('two', `127.0.0.1:${a.port}`, { state: 'disabled' });
    assert.deepEqual([view!.service, view!.state, others.length], ['two', 'disabled', 0]);
    assert.equal(await answers(t, port('one')), 'aabb');
    assert.equal(await answers(t, port('two')), 'bbbb');
  });

  it('gives it another weight', async (t) => {
    const { instance, port } = await twoServices(t);
    assert.equal(instance.patchBackend('one', 'a', { weight: 3 })[0]!.weight, 3);
    assert.equal(await answers(t, port('one')), 'aaab');
    assert.equal(instance.patchBackend('one', 'a', { weight: 0 })[0]!.state, 'draining');
    assert.equal(await answers(t, port('one')), 'bbbb');
  });

  it('is told when there is none', async (t) => {
    const { instance } = await twoServices(t);
    assert.throws(() => instance.patchBackend(undefined, 'c', { weight: 1 }), {
      code: 'ERR_SLUICE_NO_SUCH_BACKEND',
      message: 'there is no backend "c"',
    });
    assert.throws(() => instance.patchBackend('three', 'a', { weight: 1 }), {
      code: 'ERR_SLUICE_NO_SUCH_BACKEND',
      message: 'there is no backend "a" in service "three"',
    });
  });
});

describe('an instance that stops', () => {
  it('is stopped at once where nothing is left to wait for', async (t) => {
    const { instance, port } = await running(t, service('web', [to(80)], { listen: [tcp(), udp()] }));
    const tcpPort = port('web');
    instance.stop();
    await instance.stopped;
    assert.equal(instance.ready, false);
    assert.equal(await whoAnswers(t, tcpPort), 'ECONNREFUSED');
  });

  it('takes no new clients, and lets those it has finish', async (t) => {
    const a = await greeter(t, 'a');
    const { instance, port } = await running(t, service('web', [to(a.port)]));
    const { client, goesOn, ends } = await conversation(t, port('web'), a);
    instance.stop();
    assert.deepEqual([instance.ready, instance.status().state], [false, 'draining']);
    await until(() => !isListening('tcp', port('web')));
    assert.equal(await whoAnswers(t, port('web')), 'ECONNREFUSED');
    await goesOn();
    let isStopped = false;
    const stopped = instance.stopped.then(() => {
      isStopped = true;
    });
    await aTick();
    assert.equal(isStopped, false);
    await goesOn();
    client.finish();
    a.accepted[0]!.finish();
    await ends();
    await stopped;
  });

  it('ends what is left at the deadline', async (t) => {
    const a = await greeter(t, 'a');
    const { instance, port, clock } = await running(t, service('web', [to(a.port)]));
    const { goesOn, ends } = await conversation(t, port('web'), a);
    instance.stop();
    clock.advance(defaultDrainMs - 1);
    // To be told again is nothing new.
    instance.stop();
    await aTick();
    await goesOn();
    clock.advance(1);
    await ends();
    await instance.stopped;
    assert.deepEqual(instance.flows({ limit: 1 }).flows, []);
  });

  it('ends at once what is left when it is closed, and not when it is told to stop twice', async (t) => {
    const a = await greeter(t, 'a');
    const { instance, port } = await running(t, service('web', [to(a.port)]));
    const { ends } = await conversation(t, port('web'), a);
    instance.stop();
    instance.stop();
    assert.equal(instance.flows({ limit: 10 }).flows.length, 1);
    instance.close();
    await ends();
    await instance.stopped;
  });

  it('does not connect those who wait with the room that it makes by ending others', async (t) => {
    const a = await greeter(t, 'a');
    const { proxy } = service('web', []);
    const spec = service('web', [to(a.port)], { proxy: { ...proxy, maxConnectionsPerBackend: 1 } });
    const { instance, port } = await running(t, spec);
    const { ends } = await conversation(t, port('web'), a);
    const waiting = connectTo(t, port('web'));
    await until(() => instance.status().services[0]!.queued === 1);
    instance.close();
    await ends();
    await until(() => waiting.gotFin());
    await rest();
    assert.equal(a.accepted.length, 1);
    assert.equal(instance.backends()[0]!.connections, 1);
  });
});
