import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { describe, it, type TestContext } from 'node:test';
import { defaultCheckTiming, defaultDrainMs, defaultProxySpec } from '../../lib/model/spec.ts';
import { closedPort } from '../health/session/loopback.ts';
import { rest, until } from '../proxy/socket/node-support.ts';
import { freePort } from '../support/ports.ts';
import {
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

/** Two greeters, and an instance that serves the first. */
async function serving(t: TestContext) {
  const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
  const listen = [tcp(await freePort())];
  const instance = await running(t, service('web', [to(a.port, 'a')], { listen }));
  return { ...instance, a, b, listen };
}

describe('a reload without changes', () => {
  it('touches nothing: neither listeners nor flows nor what is known of the backends', async (t) => {
    const { instance, reload, port, a, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    instance.patchBackend('web', 'a', { weight: 7 });
    const before = { services: instance.status().services, backends: instance.backends() };
    const view = await reload(service('web', [to(a.port, 'a')], { listen }));
    const { added, changed, removed, unchanged, needRestart } = view;
    assert.deepEqual([added, changed, removed, unchanged, needRestart], [[], [], [], ['web'], []]);
    assert.deepEqual({ services: instance.status().services, backends: instance.backends() }, before);
    await goesOn();
    assert.equal(await whoAnswers(t, port('web')), 'a');
  });

  it('keeps the port that was chosen where any would do', async (t) => {
    const a = await greeter(t, 'a');
    const { reload, port } = await running(t, service('web', [to(a.port)]));
    const before = port('web');
    await reload(service('web', [to(a.port)]), service('more', [to(a.port)]));
    assert.equal(port('web'), before);
    assert.notEqual(port('more'), before);
  });
});

describe('a reload that changes backends', () => {
  it('lets the flows of those that stay be, and gives new ones to those that came', async (t) => {
    const { reload, port, a, b, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    const view = await reload(service('web', [to(a.port, 'a'), to(b.port, 'b')], { listen }));
    assert.deepEqual(view.changed, ['web (backends)']);
    const answers = [await whoAnswers(t, port('web')), await whoAnswers(t, port('web'))];
    assert.deepEqual(answers.toSorted(), ['a', 'b']);
    await goesOn();
  });

  it('lets the flows of one that is removed go on until the deadline', async (t) => {
    const { instance, reload, port, clock, a, b, listen } = await serving(t);
    const { goesOn, ends } = await conversation(t, port('web'), a);
    await reload(service('web', [to(b.port, 'b')], { listen }));
    assert.deepEqual([await whoAnswers(t, port('web')), await whoAnswers(t, port('web'))], ['b', 'b']);
    assert.deepEqual(
      instance.backends().map(({ name, state }) => [name, state]),
      [
        ['b', 'up'],
        ['a', 'draining'],
      ],
    );
    clock.advance(defaultDrainMs - 1);
    await rest();
    await goesOn();
    clock.advance(1);
    await ends();
    assert.deepEqual(
      instance.backends().map(({ name }) => name),
      ['b'],
    );
  });

  it('forgets the deadline of one that comes back', async (t) => {
    const { instance, reload, port, clock, a, b, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    await reload(service('web', [to(b.port, 'b')], { listen }));
    await reload(service('web', [to(a.port, 'a')], { listen }));
    clock.advance(defaultDrainMs);
    await rest();
    await goesOn();
    assert.deepEqual(
      instance.backends().map(({ name, state }) => [name, state]),
      [['a', 'up']],
    );
  });

  it('sets another deadline for one that is removed again', async (t) => {
    const { reload, port, clock, a, b, listen } = await serving(t);
    const { goesOn, ends } = await conversation(t, port('web'), a);
    await reload(service('web', [to(b.port, 'b')], { listen }));
    clock.advance(defaultDrainMs - 1);
    await reload(service('web', [to(a.port, 'a')], { listen }));
    await reload(service('web', [to(b.port, 'b')], { listen }));
    clock.advance(defaultDrainMs - 1);
    await rest();
    await goesOn();
    clock.advance(1);
    await ends();
  });

  it('moves a backend that has another port now: the flows of the old place drain', async (t) => {
    const { reload, port, a, b, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    await reload(service('web', [to(b.port, 'a')], { listen }));
    assert.equal(await whoAnswers(t, port('web')), 'b');
    await goesOn();
  });

  it('connects those who wait to a new backend at the address that its name stands for', async (t) => {
    const { a, b } = await serving(t);
    const proxy = { ...defaultProxySpec, maxConnectionsPerBackend: 1 };
    const { reload, port, instance } = await running(t, service('full', [to(a.port, 'a')], { proxy }));
    await conversation(t, port('full'), a);
    const waiting = connectTo(t, port('full'));
    await until(() => instance.status().services[0]!.queued === 1);
    const named = { ...to(b.port, 'b'), host: 'localhost' };
    await reload(service('full', [to(a.port, 'a'), named], { proxy }));
    await until(() => waiting.text() !== '' || waiting.error !== null);
    assert.equal(waiting.text(), 'b');
    assert.equal(instance.backends()[1]!.failures, 0);
  });

  it('shows the flows of a removed backend where they are', async (t) => {
    const a = await greeter(t, 'a');
    const named = { ...to(a.port, 'a'), host: 'localhost' };
    const { reload, port, instance } = await running(t, service('web', [named]));
    await conversation(t, port('web'), a);
    await reload(service('web', [to(80, 'other')]));
    assert.equal(instance.flows({ limit: 1 }).flows[0]!.backend, `127.0.0.1:${a.port}`);
  });
});

describe('a reload that changes listeners', () => {
  it('adds one to a service, whose others are not touched', async (t) => {
    const { reload, port, a, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    const more = tcp(await freePort());
    const view = await reload(service('web', [to(a.port, 'a')], { listen: [...listen, more] }));
    assert.deepEqual(view.changed, ['web (listen)']);
    assert.deepEqual([await whoAnswers(t, listen[0]!.port), await whoAnswers(t, more.port)], ['a', 'a']);
    await goesOn();
  });

  it('removes one from a service; its TCP connections go on', async (t) => {
    const { reload, port, a, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    const other = [tcp(await freePort())];
    await reload(service('web', [to(a.port, 'a')], { listen: other }));
    assert.equal(await whoAnswers(t, listen[0]!.port), 'ECONNREFUSED');
    assert.equal(await whoAnswers(t, other[0]!.port), 'a');
    await goesOn();
  });

  it('takes back an address that it gave up before', async (t) => {
    const { reload, a, listen } = await serving(t);
    const other = [tcp(await freePort())];
    await reload(service('web', [to(a.port, 'a')], { listen: other }));
    await reload(service('web', [to(a.port, 'a')], { listen }));
    assert.equal(await whoAnswers(t, listen[0]!.port), 'a');
    assert.equal(await whoAnswers(t, other[0]!.port), 'ECONNREFUSED');
  });

  it('hands an address from one service to another', async (t) => {
    const { reload, port, a, b, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    const other = [tcp(await freePort())];
    await reload(
      service('web', [to(a.port, 'a')], { listen: other }),
      service('api', [to(b.port, 'b')], { listen }),
    );
    assert.equal(await whoAnswers(t, listen[0]!.port), 'b');
    assert.equal(await whoAnswers(t, other[0]!.port), 'a');
    await goesOn();
  });

  it('swaps the addresses of two services', async (t) => {
    const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
    const [one, other] = [[tcp(await freePort())], [udp(await freePort()), tcp(await freePort())]];
    const { reload } = await running(
      t,
      service('one', [to(a.port)], { listen: one }),
      service('other', [to(b.port)], { listen: other }),
    );
    await reload(
      service('one', [to(a.port)], { listen: other }),
      service('other', [to(b.port)], { listen: one }),
    );
    assert.deepEqual([await whoAnswers(t, one[0]!.port), await whoAnswers(t, other[1]!.port)], ['b', 'a']);
  });

  it('is refused where a port is taken, and changes nothing', async (t) => {
    const { instance, reload, port, a, b, listen } = await serving(t);
    const { goesOn } = await conversation(t, port('web'), a);
    const free = tcp(await freePort());
    const before = { services: instance.status().services, backends: instance.backends() };
    await assert.rejects(
      reload(
        service('new', [to(b.port, 'b')], { listen: [free] }),
        service('web', [to(b.port, 'b')], { listen: [tcp(b.port)] }),
      ),
      { code: 'ERR_SLUICE_ADDRESS_IN_USE' },
    );
    assert.deepEqual({ services: instance.status().services, backends: instance.backends() }, before);
    assert.equal(await whoAnswers(t, listen[0]!.port), 'a');
    assert.equal(await whoAnswers(t, free.port), 'ECONNREFUSED');
    await goesOn();
    // And the next one is measured against what is still there.
    const view = await reload(service('web', [to(a.port, 'a')], { listen }));
    assert.deepEqual(view.unchanged, ['web']);
  });
});

describe('a reload that changes services', () => {
  it('adds and removes them; the flows of one that is removed go on until the deadline', async (t) => {
    const { instance, reload, port, clock, a, b, listen } = await serving(t);
    const { goesOn, ends } = await conversation(t, port('web'), a);
    const view = await reload(service('api', [to(b.port, 'b')]));
    const { added, changed, removed, unchanged, needRestart } = view;
    assert.deepEqual([added, changed, removed, unchanged, needRestart], [['api'], [], ['web'], [], []]);
    assert.equal(await whoAnswers(t, listen[0]!.port), 'ECONNREFUSED');
    assert.equal(await whoAnswers(t, port('api')), 'b');
    assert.deepEqual(
      instance.status().services.map(({ name }) => name),
      ['api'],
    );
    assert.equal(instance.flows({ limit: 9 }).flows.filter((flow) => flow.service === 'web').length, 1);
    clock.advance(defaultDrainMs - 1);
    await rest();
    await goesOn();
    clock.advance(1);
    await ends();
    await until(() => instance.backends().length === 1);
  });

  it('knows a renamed service by its address only: its flows go on until the deadline', async (t) => {
    const { reload, port, clock, a, b, listen } = await serving(t);
    const { goesOn, ends } = await conversation(t, port('web'), a);
    await reload(service('website', [to(b.port, 'b')], { listen }));
    assert.equal(await whoAnswers(t, port('website')), 'b');
    await goesOn();
    clock.advance(defaultDrainMs);
    await ends();
    assert.equal(await whoAnswers(t, port('website')), 'b');
  });

  it('forgets a removed service with its last flow', async (t) => {
    const { instance, reload, port, a, b } = await serving(t);
    const { client } = await conversation(t, port('web'), a);
    await reload(service('api', [to(b.port, 'b')]));
    assert.equal(instance.backends().length, 2);
    client.reset();
    await until(() => instance.backends().length === 1);
  });

  it('ends the UDP sessions of a listener that goes, as nothing could answer them', async (t) => {
    const a = await greeter(t, 'a');
    const { instance, reload, port } = await running(t, service('dns', [to(a.port)], { listen: [udp()] }));
    const client = createSocket('udp4');
    t.after(() => client.close());
    client.send('question', port('dns'), '127.0.0.1');
    await until(() => instance.status().services[0]!.connections === 1);
    await reload(service('web', [to(a.port)]));
    assert.deepEqual(instance.flows({ limit: 9 }).flows, []);
  });

  it('has live flows follow their new limits', async (t) => {
    const { instance, reload, port, clock, a, listen } = await serving(t);
    const { ends } = await conversation(t, port('web'), a);
    const proxy = { ...defaultProxySpec, idleTimeoutMs: 1_000 };
    await reload(service('web', [to(a.port, 'a')], { listen, proxy }));
    clock.advance(1_000);
    await ends();
    assert.equal(instance.flows({ limit: 1 }).flows.length, 0);
  });

  it('believes again in a backend that is down when it is not checked any more', async (t) => {
    const dead = [to(await closedPort(), 'a')];
    const check = { ...defaultCheckTiming, type: 'tcp' } as const;
    const { instance, reload, clock } = await running(t, service('web', dead, { check }));
    await until(() => {
      clock.advance(1);
      return instance.backends()[0]!.state === 'down';
    });
    await reload(service('web', dead));
    assert.deepEqual(
      instance.backends().map(({ state, health }) => [state, health.last]),
      [['up', 'unchecked']],
    );
  });
});

describe('a reload that cannot be', () => {
  it('is refused without a configuration to read', async (t) => {
    const instance = newInstance(t, instanceSpec(service('web', [to(80)])));
    await instance.start();
    await assert.rejects(instance.reload(), { code: 'ERR_SLUICE_NO_CONFIGURATION' });
  });

  it('names the settings that only a restart applies', async (t) => {
    const a = await greeter(t, 'a');
    const spec = instanceSpec(service('web', [to(a.port)]));
    const next = { ...spec, hashSeed: '1'.repeat(32), metrics: { host: '127.0.0.1', port: 0 }, drainMs: 1 };
    const instance = newInstance(t, spec, { reread: async () => next });
    await instance.start();
    assert.deepEqual((await instance.reload()).needRestart, ['metrics', 'hashSeed']);
  });

  it('is refused where the configuration is, and leaves the instance as it was', async (t) => {
    const a = await greeter(t, 'a');
    const instance = newInstance(t, instanceSpec(service('web', [to(a.port)])), {
      reread: () => Promise.reject(new Error('edge.yaml is not YAML')),
    });
    await instance.start();
    await assert.rejects(instance.reload(), { message: 'edge.yaml is not YAML' });
    assert.equal(instance.ready, true);
    // Not as one that is under way for ever.
    await assert.rejects(instance.reload(), { message: 'edge.yaml is not YAML' });
  });

  it('is refused where a name does not resolve', async (t) => {
    const { instance, reload, a, listen } = await serving(t);
    const before = instance.backends();
    await assert.rejects(reload(service('web', [{ ...to(a.port), host: 'nowhere.invalid' }], { listen })), {
      code: 'ERR_SLUICE_UNRESOLVED',
    });
    assert.deepEqual(instance.backends(), before);
  });

  it('is refused while another is under way', async (t) => {
    const { reload, a, listen } = await serving(t);
    const first = reload(service('web', [to(a.port, 'a')], { listen }));
    await assert.rejects(reload(service('web', [to(a.port, 'a')], { listen })), { code: 'ERR_SLUICE_BUSY' });
    await first;
    await reload(service('web', [to(a.port, 'a')], { listen }));
  });

  it('is refused before the start and during a stop', async (t) => {
    const spec = instanceSpec(service('web', [to(80)]));
    const instance = newInstance(t, spec, { reread: async () => spec });
    await assert.rejects(instance.reload(), {
      code: 'ERR_SLUICE_BUSY',
      message: 'the instance has not started yet',
    });
    await instance.start();
    instance.stop();
    await assert.rejects(instance.reload(), { code: 'ERR_SLUICE_BUSY', message: 'the instance is stopping' });
  });

  it('binds nothing when a stop comes in between', async (t) => {
    const { instance, reload, a } = await serving(t);
    const free = tcp(await freePort());
    const reloading = reload(service('new', [to(a.port)], { listen: [free] }));
    instance.stop();
    await assert.rejects(reloading, { code: 'ERR_SLUICE_BUSY' });
    assert.equal(await whoAnswers(t, free.port), 'ECONNREFUSED');
  });
});
