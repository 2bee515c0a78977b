import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { describe, it, type TestContext } from 'node:test';
import { httpProbe } from '../../../lib/health/session/http.ts';
import { type CheckSpec, defaultCheckTiming } from '../../../lib/model/spec.ts';
import {
  blackhole,
  closedPort,
  eventually,
  host,
  listenFor,
  openSockets,
  serve,
  tell,
  unwell,
  well,
} from './loopback.ts';
import { cert, key } from './self-signed.ts';

type HttpCheck = Extract<CheckSpec, { type: 'http' }>;

const probe = (check: Partial<HttpCheck> = {}) =>
  httpProbe({
    ...defaultCheckTiming,
    type: 'http',
    tls: false,
    path: '/healthz',
    status: [200, 399],
    ...check,
  });

async function answer(t: TestContext, listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(listener);
  t.after(() => server.closeAllConnections());
  return { port: await listenFor(t, server), server };
}

const saying = (status: number, body = '') =>
  ((_request, response) => response.writeHead(status).end(body)) satisfies RequestListener;

describe('an HTTP probe', () => {
  it('passes when the status is in range', async (t) => {
    for (const status of [200, 204, 301, 399]) {
      assert.deepEqual(await tell(probe(), (await answer(t, saying(status))).port), well);
    }
  });

  it('tells a status out of range', async (t) => {
    for (const status of [400, 503]) {
      assert.deepEqual(
        await tell(probe(), (await answer(t, saying(status))).port),
        unwell(`status ${status}`),
      );
    }
    const { port } = await answer(t, saying(204));
    assert.deepEqual(await tell(probe({ status: [200, 200] }), port), unwell('status 204'));
  });

  it('asks for the path, at the address of the backend, on a connection that ends with the answer', async (t) => {
    let asked: unknown;
    const { port, server } = await answer(t, (request, response) => {
      const { host: hostHeader, connection } = request.headers;
      asked = [request.method, request.url, hostHeader, connection];
      response.end();
    });
    assert.deepEqual(await tell(probe({ path: '/healthz?deep=1' }), port), well);
    assert.deepEqual(asked, ['GET', '/healthz?deep=1', `${host}:${port}`, 'close']);
    let connections = 1;
    await eventually(() => {
      server.getConnections((_error, count) => {
        connections = count;
      });
      return connections === 0;
    });
  });

  it('names another host where it is told to', async (t) => {
    let named: string | undefined;
    const { port } = await answer(t, (request, response) => {
      named = request.headers.host;
      response.end();
    });
    assert.deepEqual(await tell(probe({ host: 'www.example' }), port), well);
    assert.equal(named, 'www.example');
  });

  it('passes when the body contains the text, wherever it was cut', async (t) => {
    const { port } = await answer(t, (_request, response) => {
      response.write('status: he');
      setTimeout(() => response.end('althy\n'), 20);
    });
    assert.deepEqual(await tell(probe({ body: 'healthy' }), port), well);
  });

  it('tells a body without the text', async (t) => {
    const { port } = await answer(t, saying(200, 'sick'));
    assert.deepEqual(await tell(probe({ body: 'healthy' }), port), unwell('body does not match'));
  });

  it('reads 64 KiB of a body and no further', async (t) => {
    const { port } = await answer(t, (_request, response) => {
      const babble = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', babble);
      babble();
    });
    assert.deepEqual(await tell(probe({ body: 'healthy' }), port), unwell('body does not match'));
  });

  it('tells a body that does not come to its end in time', async (t) => {
    const { port } = await answer(t, (_request, response) => {
      const drip = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(drip));
    });
    const before = openSockets();
    assert.deepEqual(await tell(probe({ body: 'healthy' }), port, 300), unwell('timed out'));
    await eventually(() => openSockets() <= before);
  });

  it('does not wait for a body that it is not asked to look at', async (t) => {
    const before = openSockets();
    for (const [status, result] of [
      [200, well],
      [503, unwell('status 503')],
    ] as const) {
      const { port } = await answer(t, (_request, response) => response.writeHead(status).write('…'));
      assert.deepEqual(await tell(probe(), port), result);
    }
    await eventually(() => openSockets() <= before);
  });

  it('tells a backend that accepts and never answers', async (t) => {
    assert.deepEqual(await tell(probe(), await serve(t), 100), unwell('timed out'));
  });

  it('tells a backend that hangs up on the request', async (t) => {
    const port = await serve(t, (socket) => socket.once('data', () => socket.end()));
    assert.deepEqual(await tell(probe(), port), unwell('connection closed'));
  });

  it('tells a backend that does not speak HTTP', async (t) => {
    const port = await serve(t, (socket) => socket.resume().end('SSH-2.0-OpenSSH_9.6\r\n'));
    assert.deepEqual(await tell(probe(), port), unwell('answer is not HTTP'));
  });

  it('tells a closed port', async () => {
    assert.deepEqual(await tell(probe(), await closedPort()), unwell('connection refused'));
  });

  for (const tls of [false, true]) {
    it(`leaves no socket to a backend that does not even accept, TLS ${tls ? 'on' : 'off'}`, async (t) => {
      const port = await blackhole(t);
      const before = openSockets();
      assert.deepEqual(await tell(probe({ tls }), port, 200), unwell('timed out', 'unknown'));
      await eventually(() => openSockets() <= before);
    });
  }

  it('passes over TLS, whoever the certificate is for', async (t) => {
    const server = createTlsServer({ key, cert }, saying(200, 'healthy'));
    t.after(() => server.closeAllConnections());
    assert.deepEqual(await tell(probe({ tls: true, body: 'healthy' }), await listenFor(t, server)), well);
  });

  it('tells a backend that does not speak TLS', async (t) => {
    const { port } = await answer(t, saying(200));
    assert.deepEqual(await tell(probe({ tls: true }), port), unwell('TLS handshake failed'));
  });
});
