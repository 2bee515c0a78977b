/** The way of flows through an instance, running or only configured. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '../../lib/config/parse.ts';
import { openOffline } from '../../lib/daemon/offline.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import type { ServiceSpec } from '../../lib/model/spec.ts';
import { freePort } from '../support/ports.ts';
import { conversation, greeter, running, service, tcp, to } from './support.ts';

const fromClient = (port: number, clientPort = 40_000) =>
  parseFlowTuple(['tcp', `127.0.0.1:${clientPort}`, `127.0.0.1:${port}`]);

async function serving(t: TestContext, change: Partial<ServiceSpec> = {}) {
  const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
  const { instance, port } = await running(t, service('web', [to(a.port, 'a'), to(b.port, 'b')], change));
  return { instance, port: port('web'), a, b };
}

describe('the trace of a flow through a proxy', () => {
  it('is that of its session, if it has one', async (t) => {
    const { instance, port, a } = await serving(t);
    const { client } = await conversation(t, port, a);
    const { localPort } = client.socket;
    const {
      flow,
      backend,
      mode,
      listener,
      verdict,
      service: name,
      rule,
    } = await instance.trace(fromClient(port, localPort));
    assert.deepEqual(
      [mode, name, listener, rule, verdict],
      ['proxy', 'web', `tcp://127.0.0.1:${port}`, null, 'terminate'],
    );
    assert.equal(backend, `127.0.0.1:${a.port}`);
    assert.deepEqual(
      [flow!.state, flow!.client, flow!.backend, flow!.packetsIn],
      ['established', `127.0.0.1:${localPort}`, backend, null],
    );
  });

  it('says whom the pool would choose, and lets the pool be', async (t) => {
    const { instance, port, a, b } = await serving(t);
    const views = await Promise.all([1, 2, 3].map(() => instance.trace(fromClient(port))));
    for (const { placement, flow, backend, running: live } of views) {
      assert.deepEqual([placement!.settled, placement!.slot, flow, live], [false, null, null, true]);
      assert.equal(backend, `127.0.0.1:${a.port}`);
    }
    // Nobody has had a turn.
    await conversation(t, port, a);
    await conversation(t, port, b);
  });

  it('is where the client then comes to, by the same table', async (t) => {
    const listen = [tcp(await freePort())];
    const { instance, port, a, b } = await serving(t, { balance: 'maglev', listen });
    const clientPort = await freePort();
    const { backend, placement } = await instance.trace(fromClient(port, clientPort));
    assert.deepEqual([placement!.settled, placement!.slots, placement!.backend], [true, 65_537, backend]);
    const { connect } = await import('node:net');
    const socket = connect({ port, host: '127.0.0.1', localPort: clientPort });
    t.after(() => socket.destroy());
    const greeting = await new Promise((resolve) => socket.once('data', resolve));
    assert.equal(backend, `127.0.0.1:${String(greeting) === 'a' ? a.port : b.port}`);
  });

  it('says why nobody gets it', async (t) => {
    const { instance, port } = await serving(t);
    for (const name of ['a', 'b']) instance.patchBackend('web', name, { state: 'draining' });
    const { verdict, reason, backend, candidates } = await instance.trace(fromClient(port));
    assert.deepEqual([verdict, reason, backend], ['refuse', 'all-down', null]);
    assert.deepEqual(
      candidates.map(({ state, candidate }) => [state, candidate]),
      [
        ['draining', false],
        ['draining', false],
      ],
    );
  });

  it('passes by where nobody listens', async (t) => {
    const { instance } = await serving(t);
    const { mode, verdict, reason, service: name } = await instance.trace(fromClient(await freePort()));
    assert.deepEqual([mode, name, verdict, reason], [null, null, 'accept', 'not-ours']);
  });
});

describe('the trace of a flow through a configuration', () => {
  const file = `name: edge
services:
  - name: web
    mode: nat
    listen: ["tcp://192.0.2.10:80", "tcp://[2001:db8::10]:80"]
    backends: [10.0.2.11:8080, 10.0.2.12:8080=0, "[fd00::1]:8080"]
    snat: [10.0.0.1, fd00::9]
  - name: api
    listen: :8081
    backends: [127.0.0.1:9001, 127.0.0.1:9002]
    balance: source
`;

  it('goes through the tables that would be made, and binds nothing', async () => {
    const offline = await openOffline(parseConfig(file, 'edge.yaml'));
    const view = await offline.trace(parseFlowTuple(['198.51.100.7:40000', '192.0.2.10:80']));
    assert.deepEqual(
      [view.running, view.mode, view.service, view.backend],
      [false, 'nat', 'web', '10.0.2.11:8080'],
    );
    assert.deepEqual([view.rewriting!.after!.source, view.rewriting!.examplePort], ['10.0.0.1:61000', true]);
    assert.deepEqual([view.rule!.queue, view.rule!.tool, view.rule!.worker], [null, null, 0]);
    assert.deepEqual(
      view.candidates.map(({ name, state, candidate }) => [name, state, candidate]),
      [
        ['10.0.2.11:8080', 'up', true],
        ['10.0.2.12:8080', 'draining', false],
      ],
    );
    const six = await offline.trace(parseFlowTuple(['[2001:db8::7]:40000', '[2001:db8::10]:80']));
    assert.equal(six.backend, '[fd00::1]:8080');
    const api = await offline.trace(parseFlowTuple(['198.51.100.7:40000', '192.0.2.11:8081']));
    assert.deepEqual([api.mode, api.listener, api.placement!.settled], ['proxy', 'tcp://:8081', true]);
  });

  it('knows no worker among several, as a secret of the process decides', async () => {
    const offline = await openOffline(parseConfig(`nat: { workers: 3 }\n${file}`, 'edge.yaml'));
    const { rule } = await offline.trace(parseFlowTuple(['198.51.100.7:40000', '192.0.2.10:80']));
    assert.deepEqual([rule!.worker, rule!.workers], [null, 3]);
  });

  it('asks no backend whether it is well', async () => {
    const check = 'check: { type: exec, command: "false", interval: 100ms, fall: 1 }';
    const offline = await openOffline(parseConfig(file.replace('snat:', `${check}\n    snat:`), 'edge.yaml'));
    await delay(500);
    const view = await offline.trace(parseFlowTuple(['198.51.100.7:40000', '192.0.2.10:80']));
    assert.deepEqual(
      view.candidates.map(({ state, health }) => [state, health]),
      [
        ['up', 'unchecked'],
        ['draining', 'unchecked'],
      ],
    );
  });

  it('is refused where the configuration would be', async () => {
    const unroutable = file.replace('10.0.2.11:8080', 'localhost:8080');
    await assert.rejects(openOffline(parseConfig(unroutable, 'edge.yaml')), {
      code: 'ERR_SLUICE_UNROUTABLE',
    });
  });
});
