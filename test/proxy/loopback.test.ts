/** The whole proxy on real sockets of the loopback, between peers that know nothing but `node:net`. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendPool } from '../../lib/balance/pool.ts';
import { silentLog } from '../../lib/model/log.ts';
import { defaultProxySpec } from '../../lib/model/spec.ts';
import { ProxyContext } from '../../lib/proxy/context.ts';
import { nodeTcp } from '../../lib/proxy/socket/node-tcp.ts';
import { loadUdp, udp as udpTransport } from '../../lib/proxy/socket/udp.ts';
import { TcpProxy } from '../../lib/proxy/tcp-proxy.ts';
import { UdpProxy } from '../../lib/proxy/udp-proxy.ts';
import { hashSeed } from '../balance/support.ts';
import { closedPort } from '../health/session/loopback.ts';
import { dial, NetBackend, type NetPeer, until } from './socket/node-support.ts';

const mebibyte = 1024 * 1024;

before(() => loadUdp(silentLog));

/** Proxies both protocols from a free port to these, until the test ends; nothing may be left over then. */
function proxyTo(t: TestContext, ports: readonly number[]) {
  const specs = ports.map((port) => ({ name: `${port}`, host: '127.0.0.1', port, weight: 1 }));
  const settings = { balance: 'round-robin', whenAllDown: 'reject', noticeMs: 0, maxConnections: 0 } as const;
  const pool = new BackendPool({ ...settings, hashSeed, random: Math.random }, specs, 0);
  const observed: string[] = [];
  const context = new ProxyContext({
    service: 'web',
    pool,
    limits: defaultProxySpec,
    whenAllDown: 'reject',
    observer: {
      answered: () => undefined,
      failed: (backend, code) => observed.push(`${backend.name} ${code}`),
    },
    log: silentLog,
    nowMs: 0,
  });
  const tcp = new TcpProxy(context, nodeTcp);
  const udp = new UdpProxy(context, udpTransport);
  const listeners = [tcp, udp].map((proxy) => proxy.listen({ host: '127.0.0.1', port: 0 }));
  t.after(() => {
    for (const listener of listeners) listener.close();
    tcp.endFlows();
    udp.endSessions();
    assert.ok(pool.backends.every(({ live }) => live === 0));
  });
  const [tcpPort, udpPort] = listeners.map(({ address }) => address.port) as [number, number];
  return { context, pool, observed, tcp, udp, tcpPort, udpPort };
}

async function backendFor(t: TestContext, onPeer?: (peer: NetPeer) => void): Promise<NetBackend> {
  const backend = await NetBackend.start(onPeer);
  t.after(() => backend[Symbol.asyncDispose]());
  return backend;
}

function dialFor(t: TestContext, port: number): NetPeer {
  const peer = dial(port);
  t.after(() => peer.socket.destroy());
  return peer;
}

/** Sends `count` times `chunk` and a FIN; resolves to the digest of it all. */
async function pour(socket: Socket, chunk: Buffer, count: number): Promise<string> {
  const digest = createHash('sha256');
  for (let i = 0; i < count; i++) {
    digest.update(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  return digest.digest('hex');
}

/** Reads to the FIN without keeping anything; resolves to the digest of it all. */
async function drink(socket: Socket, pauseMs: () => number = () => 0): Promise<string> {
  const digest = createHash('sha256');
  socket.removeAllListeners('data');
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    digest.update(chunk as Buffer);
    const ms = pauseMs();
    if (ms > 0) await sleep(ms);
  }
  return digest.digest('hex');
}

describe('a proxied TCP connection', () => {
  it('carries 64 MiB each way at once, every byte in its place', async (t) => {
    const backend = await backendFor(t);
    const { tcpPort, context } = proxyTo(t, [backend.port]);
    const { socket: client } = dialFor(t, tcpPort);
    await until(() => backend.accepted.length > 0);
    const [{ socket: server }] = backend.accepted as [NetPeer];
    const [there, back] = [randomBytes(mebibyte), randomBytes(mebibyte)];
    const digests = await Promise.all([
      pour(client, there, 64),
      pour(server, back, 64),
      drink(server),
      drink(client),
    ]);
    assert.deepEqual(digests.slice(2), digests.slice(0, 2));
    assert.deepEqual([context.bytesIn, context.bytesOut], [64 * mebibyte, 64 * mebibyte]);
  });

  for (const [slow, fast] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    it(`makes a fast ${fast} wait for a slow ${slow}, and keeps next to nothing meanwhile`, async (t) => {
      const backend = await backendFor(t, (peer) => peer.stopReading());
      const { tcpPort, context, tcp } = proxyTo(t, [backend.port]);
      const client = dialFor(t, tcpPort);
      client.stopReading();
      await until(() => backend.accepted.length > 0);
      const sockets = { client: client.socket, server: backend.accepted[0]!.socket };
      const chunk = randomBytes(64 * 1024);
      const chunks = 640;
      const moved = () => context.bytesIn + context.bytesOut;

      const beforeBytes = process.memoryUsage().arrayBuffers;
      const poured = pour(sockets[fast], chunk, chunks);
      let seen = -1;
      while (seen !== moved() || seen === 0) {
        seen = moved();
        await sleep(50);
      }
      const heldBytes = process.memoryUsage().arrayBuffers - beforeBytes;
      assert.ok(seen < (chunks * chunk.length) / 2, `${seen} bytes moved though nobody reads`);
      assert.ok(heldBytes < 2 * mebibyte, `${heldBytes} bytes kept`);

      let reads = 0;
      const drunk = drink(sockets[slow], () => (reads++ % 16 === 0 ? 1 : 0));
      assert.equal(await drunk, await poured);
      assert.equal(moved(), chunks * chunk.length);
      assert.equal(tcp.flows.size, 1);
    });
  }

  for (const side of ['client', 'server'] as const) {
    it(`ends with a RST, and no FIN, when the ${side} resets`, async (t) => {
      const backend = await backendFor(t, (peer) => peer.send('hello'));
      const { tcpPort, tcp } = proxyTo(t, [backend.port]);
      const client = dialFor(t, tcpPort);
      await until(() => client.text() === 'hello');
      const [server] = backend.accepted as [NetPeer];
      const [resetting, other] = side === 'client' ? [client, server] : [server, client];
      resetting.reset();
      await until(() => other.error !== null || other.gotFin());
      assert.deepEqual([other.error, other.gotFin()], ['ECONNRESET', false]);
      assert.equal(tcp.flows.size, 0);
    });
  }

  it('ends with a FIN on the other side when one side finishes, one direction at a time', async (t) => {
    const backend = await backendFor(t);
    const { tcpPort, tcp } = proxyTo(t, [backend.port]);
    const client = dialFor(t, tcpPort);
    client.send('question');
    client.finish();
    await until(() => backend.accepted[0]?.gotFin() === true);
    const [server] = backend.accepted as [NetPeer];
    assert.equal(server.text(), 'question');
    server.send('answer');
    await until(() => client.text() === 'answer');
    assert.equal(client.gotFin(), false);
    server.finish();
    await until(() => client.gotFin());
    assert.deepEqual([client.error, server.error, tcp.flows.size], [null, null, 0]);
  });

  it('goes to the next backend where nobody listens', async (t) => {
    const refusing = await closedPort();
    const backend = await backendFor(t, (peer) => peer.send('hello'));
    const { tcpPort, observed } = proxyTo(t, [refusing, backend.port]);
    const client = dialFor(t, tcpPort);
    client.send('request');
    await until(() => backend.accepted[0]?.text() === 'request' && client.text() === 'hello');
    assert.deepEqual(observed, [`${refusing} ECONNREFUSED`]);
  });

  it('is a RST where nobody listens at all', async (t) => {
    const { tcpPort, context } = proxyTo(t, [await closedPort()]);
    const client = dialFor(t, tcpPort);
    await until(() => client.error !== null);
    assert.equal(client.error, 'ECONNRESET');
    assert.equal(context.dropped['connect-failed'], 1);
  });
});

describe('many proxied TCP connections at once', () => {
  it('never see a byte of each other, though some break off at any moment', async (t) => {
    const backend = await backendFor(t, ({ socket }) => {
      socket.removeAllListeners('data');
      socket.pipe(socket);
    });
    const { tcpPort, tcp } = proxyTo(t, [backend.port]);

    /** Sends pieces of any size and compares their echoes; resolves to whether it went on to the end. */
    const converse = async (number: number): Promise<boolean> => {
      const { socket } = dialFor(t, tcpPort);
      const breaksOff = number % 5 === 0;
      const pieces = Array.from({ length: randomInt(1, 12) }, () =>
        Buffer.alloc(randomInt(1, 4 ** randomInt(1, 10)), randomBytes(61)),
      );
      const sent = Buffer.concat(pieces);
      const breakingPoint = breaksOff ? randomInt(sent.length) : sent.length;
      const feed = async () => {
        for (const piece of pieces) {
          socket.write(piece);
          if (randomInt(3) === 0) await sleep(randomInt(3));
        }
        if (!breaksOff) socket.end();
      };
      const fed = feed();
      let received = 0;
      socket.removeAllListeners('data');
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        const bytes = chunk as Buffer;
        assert.ok(bytes.equals(sent.subarray(received, received + bytes.length)), `connection ${number}`);
        received += bytes.length;
        if (breaksOff && received > breakingPoint) break;
      }
      await fed;
      if (breaksOff) socket.resetAndDestroy();
      else assert.equal(received, sent.length);
      return !breaksOff;
    };

    let next = 0;
    const work = async () => {
      let whole = 0;
      while (next < 150) whole += Number(await converse(next++));
      return whole;
    };
    const whole = await Promise.all(Array.from({ length: 40 }, work));
    assert.equal(
      whole.reduce((sum, each) => sum + each, 0),
      120,
    );
    await until(() => tcp.flows.size === 0);
  });
});

describe('a proxied UDP conversation', () => {
  /** A UDP server that answers every datagram with its own name and the same. */
  async function udpEcho(t: TestContext, name: string) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.on('message', (bytes, { port }) => socket.send(`${name} ${bytes}`, port, '127.0.0.1'));
    let isOpen = true;
    const close = async () => {
      if (!isOpen) return;
      isOpen = false;
      socket.close();
      await once(socket, 'close');
    };
    t.after(close);
    return { port: socket.address().port, close };
  }

  function udpClient(t: TestContext, port: number) {
    const socket = createSocket('udp4');
    const answers: string[] = [];
    socket.on('message', (bytes) => answers.push(bytes.toString()));
    t.after(() => socket.close());
    return { answers, ask: (text: string) => socket.send(text, port, '127.0.0.1') };
  }

  it('is held by many clients at once, each with a backend of its own', async (t) => {
    const [a, b] = [await udpEcho(t, 'a'), await udpEcho(t, 'b')];
    const { udpPort, udp } = proxyTo(t, [a.port, b.port]);
    const clients = Array.from({ length: 20 }, () => udpClient(t, udpPort));
    for (let i = 0; i < 5; i++) {
      for (const [number, { ask }] of clients.entries()) ask(`${number}/${i}`);
      await until(() => clients.every(({ answers }) => answers.length === i + 1));
    }
    for (const [number, { answers }] of clients.entries()) {
      const name = answers[0]![0];
      assert.deepEqual(
        answers,
        [0, 1, 2, 3, 4].map((i) => `${name} ${number}/${i}`),
      );
    }
    assert.equal(udp.sessionCount, 20);
    assert.equal(clients.filter(({ answers }) => answers[0]!.startsWith('a')).length, 10);
  });

  it('goes on with another backend when its own is gone', async (t) => {
    const [a, b] = [await udpEcho(t, 'a'), await udpEcho(t, 'b')];
    const { udpPort, observed } = proxyTo(t, [a.port, b.port]);
    const { answers, ask } = udpClient(t, udpPort);
    ask('1');
    await until(() => answers.length === 1);
    await a.close();
    ask('2');
    // As whoever waits for an answer in vain asks again.
    await until(() => {
      if (answers.length === 1 && observed.length > 0) ask('3');
      return answers.length > 1;
    });
    assert.deepEqual([answers[0], answers[1]], ['a 1', 'b 3']);
    assert.deepEqual(observed, [`${a.port} ECONNREFUSED`]);
  });
});
