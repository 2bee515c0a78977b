import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, readdirSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ControlServer, serveControl, serveMetrics } from '../../lib/control/server.ts';
import { type Log, silentLog } from '../../lib/model/log.ts';
import { run } from '../support/child.ts';
import { freePort } from '../support/ports.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { leaveDeadSocket } from './dead-socket.ts';
import { FakeInstance } from './fake-instance.ts';

type Target = { readonly socketPath: string } | { readonly port: number };

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(
  target: Target,
  method: string,
  path: string,
  body?: string,
  agent?: Agent,
): Promise<Reply> {
  const asking = request({ ...target, method, path, ...(agent === undefined ? {} : { agent }) });
  // Who is refused before everything was sent may be cut off in the middle.
  asking.on('error', () => undefined);
  asking.end(body);
  const [response] = await once(asking, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('the control socket', () => {
  let directory: Scratch;
  let instance: FakeInstance;
  let server: ControlServer;
  let errors: unknown[];
  const log: Log = { ...silentLog, error: (message, fields) => errors.push([message, fields]) };

  beforeEach(async () => {
    directory = scratch();
    instance = new FakeInstance();
    errors = [];
    server = await serveControl(join(directory.path, 'edge.sock'), instance, log);
  });

  afterEach(async () => {
    await server.close();
    directory.remove();
  });

  const call = (method: string, path: string, body?: string) =>
    ask({ socketPath: server.path }, method, path, body);

  const problem = async (status: number, method: string, path: string, body?: string) => {
    const reply = await call(method, path, body);
    assert.equal(reply.status, status, reply.body);
    assert.equal(reply.headers['content-type'], 'application/json');
    return JSON.parse(reply.body).error;
  };

  it('answers with one JSON document on one line', async () => {
    const reply = await call('GET', '/v1/status');
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['content-type'], 'application/json');
    assert.equal(reply.body, `${JSON.stringify(instance.statusView)}\n`);
  });

  it('shows backends, and at most 1000 flows unless told otherwise', async () => {
    assert.deepEqual(JSON.parse((await call('GET', '/v1/backends')).body), {
      backends: instance.backendViews,
    });
    assert.deepEqual(JSON.parse((await call('GET', '/v1/flows')).body), {
      flows: instance.flowViews,
      matching: 3,
    });
    assert.deepEqual(JSON.parse((await call('GET', '/v1/flows?limit=2')).body), {
      flows: instance.flowViews.slice(0, 2),
      matching: 3,
    });
    const asked = { reverse: false, rates: false };
    assert.deepEqual(instance.asked, [
      ['flows', { limit: 1000, ...asked }],
      ['flows', { limit: 2, ...asked }],
    ]);
  });

  it('shows the packet paths', async () => {
    assert.deepEqual(JSON.parse((await call('GET', '/v1/paths')).body), { paths: instance.pathViews });
  });

  it('shows what was logged after an entry, and all that it remembers unless told otherwise', async () => {
    const entries = async (path: string) => JSON.parse((await call('GET', path)).body).entries;
    assert.deepEqual(await entries('/v1/log'), instance.logEntries);
    assert.deepEqual(await entries('/v1/log?after=1'), instance.logEntries.slice(1));
    assert.equal((await problem(400, 'GET', '/v1/log?after=-1')).code, 'ERR_SLUICE_USAGE');
  });

  it('takes only a limit that is a number of flows', async () => {
    for (const limit of ['', '-1', '1.5', 'all', '100001', '1e3']) {
      const error = await problem(400, 'GET', `/v1/flows?limit=${limit}`);
      assert.equal(error.code, 'ERR_SLUICE_USAGE');
    }
    assert.deepEqual(instance.asked, []);
  });

  it('changes a backend in every service, or in one', async () => {
    const name = instance.backendViews[1]!.name;
    const everywhere = await call(
      'PATCH',
      `/v1/backends/${encodeURIComponent(name)}`,
      '{"state":"draining"}',
    );
    assert.deepEqual(JSON.parse(everywhere.body), { backends: [instance.backendViews[1]] });
    await call('PATCH', '/v1/services/web/backends/127.0.0.1:9001', '{"weight":0}');
    assert.deepEqual(instance.asked, [
      ['patch', undefined, name, { state: 'draining' }],
      ['patch', 'web', '127.0.0.1:9001', { weight: 0 }],
    ]);
  });

  it('changes nothing when the body is wrong', async () => {
    for (const body of ['', '{', '[]', '{}', '{"state":"up"}']) {
      const error = await problem(400, 'PATCH', '/v1/backends/127.0.0.1:9001', body);
      assert.equal(error.code, 'ERR_SLUICE_USAGE');
    }
    assert.deepEqual(instance.asked, []);
  });

  it('hands errors of the instance on: what, why, what to do, where', async () => {
    const missing = await problem(404, 'PATCH', '/v1/backends/nobody', '{"weight":1}');
    assert.deepEqual(missing, {
      code: 'ERR_SLUICE_NO_SUCH_BACKEND',
      message: 'there is no backend nobody',
      remedy: 'see `sluice backends`',
      exitCode: 2,
    });
  });

  it('hides a defect behind a 500 and logs it', async () => {
    instance.reloading = () => Promise.reject(new TypeError('undefined is not a function'));
    const error = await problem(500, 'POST', '/v1/reload');
    assert.equal(error.code, 'ERR_SLUICE_INTERNAL');
    assert.doesNotMatch(JSON.stringify(error), /undefined/);
    assert.match(JSON.stringify(errors), /TypeError: undefined is not a function/);
  });

  it('knows its paths', async () => {
    for (const path of [
      '/',
      '/v1',
      '/v1/status/',
      '/v1/backends/',
      '/v1/services//backends/x',
      '/V1/status',
      '//',
    ]) {
      assert.equal((await problem(404, 'GET', path)).code, 'ERR_SLUICE_NO_SUCH_PATH');
    }
  });

  it('says which methods a path takes', async () => {
    const cases = [
      ['DELETE', '/v1/status', 'GET, HEAD'],
      ['GET', '/v1/reload', 'POST'],
      ['POST', '/v1/backends/127.0.0.1:9001', 'PATCH'],
    ] as const;
    for (const [method, path, allowed] of cases) {
      const reply = await call(method, path);
      assert.equal(reply.status, 405);
      assert.equal(reply.headers.allow, allowed);
      assert.equal(JSON.parse(reply.body).error.code, 'ERR_SLUICE_METHOD_NOT_ALLOWED');
    }
  });

  it('answers HEAD like GET, without a body', async () => {
    const { headers, body } = await call('HEAD', '/v1/status');
    assert.equal(body, '');
    assert.equal(headers['content-length'], String(JSON.stringify(instance.statusView).length + 1));
  });

  it('refuses a name that is badly encoded', async () => {
    assert.equal((await problem(400, 'PATCH', '/v1/backends/%zz', '{"weight":1}')).code, 'ERR_SLUICE_USAGE');
  });

  it('reads bodies of up to 1 MiB', async () => {
    const path = '/v1/backends/127.0.0.1:9001';
    const padded = (bytes: number) => '{"weight":1}'.padEnd(bytes);
    assert.equal((await call('PATCH', path, padded(2 ** 20))).status, 200);
    assert.equal((await problem(413, 'PATCH', path, padded(2 ** 20 + 1))).code, 'ERR_SLUICE_BODY_TOO_LARGE');
    assert.equal(instance.asked.length, 1);
  });

  it('refuses a body without end as soon as it is too long', async () => {
    const asking = request({ socketPath: server.path, method: 'PATCH', path: '/v1/backends/127.0.0.1:9001' });
    asking.on('error', () => undefined);
    asking.write(' '.repeat(1_100_000));
    const [response] = await once(asking, 'response');
    assert.equal(response.statusCode, 413);
    assert.equal(response.headers.connection, 'close');
    asking.destroy();
  });

  it('survives whoever leaves in the middle of a request, or does not speak HTTP', async () => {
    for (const said of [
      'PATCH /v1/backends/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{',
      'hello\r\n\r\n',
      '',
    ]) {
      const socket = connect(server.path);
      await once(socket, 'connect');
      socket.end(said);
      socket.resume();
      await once(socket, 'close');
    }
    assert.equal((await call('GET', '/livez')).status, 200);
    assert.deepEqual(errors, []);
  });

  it('keeps a connection for the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/v1/status', '/nothing', '/metrics']) {
      const reply = await ask({ socketPath: server.path }, 'GET', path, undefined, agent);
      assert.equal(reply.headers.connection, 'keep-alive');
    }
    agent.destroy();
  });

  it('answers a stop before it begins, even if that ends the server at once', async () => {
    const stopped = new Promise<void>((resolve) => {
      instance.onStop = () => resolve(server.close());
    });
    const reply = await call('POST', '/v1/stop');
    assert.equal(reply.status, 202);
    assert.deepEqual(JSON.parse(reply.body), { state: 'draining' });
    await stopped;
    assert.deepEqual(instance.asked, [['stop']]);
  });

  it('is live from the first moment and ready while the instance is', async () => {
    for (const [ready, status] of [
      [true, 200],
      [false, 503],
    ] as const) {
      instance.ready = ready;
      assert.equal((await call('GET', '/livez')).status, 200);
      assert.equal((await call('GET', '/readyz')).status, status);
    }
  });

  it('serves metrics in the format that it says', async () => {
    const { headers, body } = await call('GET', '/metrics');
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(body, /^sluice_build_info\{version="1\.2\.3",node="[\d.]+"\} 1$/m);
    assert.match(body, /^process_open_fds \d+$/m);
  });

  it('is private', () => {
    assert.equal(lstatSync(server.path).mode & 0o777, 0o600);
  });

  it('takes the place of one that a crash left', async () => {
    const path = join(directory.path, 'crashed.sock');
    await leaveDeadSocket(path);
    const other = await serveControl(path, instance, log);
    assert.equal((await ask({ socketPath: path }, 'GET', '/livez')).status, 200);
    await other.close();
  });

  it('refuses the place of a living one', async () => {
    await assert.rejects(serveControl(server.path, instance, log), { code: 'ERR_SLUICE_CONTROL_IN_USE' });
    assert.equal((await call('GET', '/livez')).status, 200);
  });

  it('does no harm to its successor when it is closed twice', async () => {
    const { path } = server;
    await server.close();
    const successor = await serveControl(path, instance, log);
    await server.close();
    assert.equal((await ask({ socketPath: path }, 'GET', '/livez')).status, 200);
    await successor.close();
  });

  it('closes at once, whoever is still connected', async () => {
    const idle = connect(server.path);
    await once(idle, 'connect');
    instance.reloading = () => new Promise(() => undefined);
    const hanging = call('POST', '/v1/reload');
    while (instance.asked.length === 0) await new Promise(setImmediate);
    const gone = Promise.all([once(idle, 'close'), assert.rejects(hanging)]);
    idle.resume();
    await server.close();
    await gone;
    assert.deepEqual(readdirSync(directory.path), []);
  });
});

describe('the metrics port', () => {
  const instance = new FakeInstance();

  it('shows metrics and health, and gives no control', async () => {
    const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, instance, silentLog);
    try {
      const { port } = server.address;
      for (const path of ['/metrics', '/livez', '/readyz']) {
        assert.equal((await ask({ port }, 'GET', path)).status, 200);
      }
      for (const [method, path] of [
        ['GET', '/v1/status'],
        ['GET', '/v1/flows'],
        ['PATCH', '/v1/backends/127.0.0.1:9001'],
        ['POST', '/v1/reload'],
        ['POST', '/v1/stop'],
      ] as const) {
        assert.equal((await ask({ port }, method, path)).status, 404);
      }
      assert.deepEqual(instance.asked, []);
    } finally {
      await server.close();
    }
  });

  it('says why it cannot be had', async () => {
    const port = await freePort();
    const server = await serveMetrics({ host: '127.0.0.1', port }, instance, silentLog);
    try {
      assert.deepEqual(server.address, { host: '127.0.0.1', port });
      await assert.rejects(serveMetrics({ host: '127.0.0.1', port }, instance, silentLog), {
        code: 'ERR_SLUICE_ADDRESS_IN_USE',
        exitCode: 1,
      });
    } finally {
      await server.close();
    }
  });

  it('is had on every address when none is given', async () => {
    const server = await serveMetrics({ host: '', port: 0 }, instance, silentLog);
    try {
      assert.equal((await ask({ port: server.address.port }, 'GET', '/livez')).status, 200);
    } finally {
      await server.close();
    }
  });
});

describe('a process that serves both', () => {
  it('ends when nothing else keeps it alive, connections or not', async () => {
    const directory = scratch();
    try {
      const program = `
        import { connect } from 'node:net';
        import { serveControl, serveMetrics } from '${new URL('../../lib/control/server.ts', import.meta.url)}';
        import { silentLog } from '${new URL('../../lib/model/log.ts', import.meta.url)}';
        import { FakeInstance } from '${new URL('./fake-instance.ts', import.meta.url)}';
        const instance = new FakeInstance();
        const { path } = await serveControl('edge.sock', instance, silentLog);
        const { address } = await serveMetrics({ host: '127.0.0.1', port: 0 }, instance, silentLog);
        for (const target of [{ path }, address]) {
          const socket = connect(target);
          await new Promise((connected) => socket.once('connect', connected));
          socket.write('GET /livez HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n');
          await new Promise((answered) => socket.once('data', answered));
          socket.unref();
        }
        console.log('over');
        // Before the server itself would drop its idle connections.
        setTimeout(() => console.log('still here'), 4_000).unref();`;
      const { code, stdout, stderr } = await run({
        program: process.execPath,
        args: ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program],
        cwd: directory.path,
      });
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'over\n', stderr: '' });
    } finally {
      directory.remove();
    }
  });
});
