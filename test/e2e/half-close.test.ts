/**
 *   client ──── FIN ───▶ sluice proxy ──── FIN ───▶ backend
 *          ◀── answer ──              ◀── answer ──            and the same the other way round
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { type Sluice, sluice } from '../support/sluice.ts';
import { Inspector, portOf } from './support.ts';

const megabyte = Buffer.alloc(1_000_000, 'sluice ');

interface Joined {
  readonly client: Socket;
  readonly backend: Socket;
  readonly proxy: Sluice;
}

/** Joins a client to a backend and shows `converse` both ends, then waits until nothing is left of it. */
async function join(converse: (joined: Joined) => Promise<void>): Promise<void> {
  await using server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${port}`, '--check', 'none']);
  const accepted = once(server, 'connection');
  const client = connect({ port: portOf(proxy), host: '127.0.0.1', allowHalfOpen: true });
  const [backend] = (await accepted) as [Socket];
  try {
    await converse({ client, backend, proxy });
    await new Inspector(proxy).untilFlows(0);
  } finally {
    client.destroy();
    backend.destroy();
  }
}

/** Everything up to the FIN; the socket stays open the other way. */
async function received(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  await once(socket, 'end');
  return Buffer.concat(parts);
}

describe('a connection that is half closed', () => {
  it('by the client still carries the answer', () =>
    join(async ({ client, backend, proxy }) => {
      client.end('question');
      assert.equal((await received(backend)).toString(), 'question');
      assert.equal((await new Inspector(proxy).service()).flows, 1);
      backend.end(megabyte);
      assert.ok((await received(client)).equals(megabyte));
    }));

  it('by the backend still carries what the client sends', () =>
    join(async ({ client, backend, proxy }) => {
      backend.end('greeting');
      assert.equal((await received(client)).toString(), 'greeting');
      assert.equal((await new Inspector(proxy).service()).flows, 1);
      client.end(megabyte);
      assert.ok((await received(backend)).equals(megabyte));
    }));
});

describe('a connection that is reset', () => {
  const untilReset = async (socket: Socket) => {
    const [error] = (await once(socket.resume(), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  };

  it('by the client is reset for the backend', () =>
    join(async ({ client, backend }) => {
      client.write('question');
      await once(backend, 'data');
      client.resetAndDestroy();
      await untilReset(backend);
    }));

  it('by the backend is reset for the client', () =>
    join(async ({ client, backend }) => {
      client.write('question');
      await once(backend, 'data');
      backend.write('ans');
      await once(client, 'data');
      backend.resetAndDestroy();
      await untilReset(client);
    }));
});
