/**
 *   client ◀── reads nothing ── sluice proxy ◀── pushes without end ── backend
 *   client ── pushes without end ──▶ sluice proxy ── reads nothing ──▶ backend
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { residentKiB } from '../support/proc.ts';
import { sluice } from '../support/sluice.ts';
import { portOf, settled } from './support.ts';

const gibibyte = 2 ** 30;
const pairs = 20;

/** A proxy that queued what it cannot pass on would hold all of it. */
const mostKiB = 64 * 1_024;

interface Push {
  /** Bytes that the kernel has taken. */
  sent(): number;
  readonly done: Promise<void>;
}

/** Offers a gibibyte to a socket. */
function push(socket: Socket): Push {
  const part = Buffer.alloc(2 ** 20);
  let left = gibibyte;
  const done = (async () => {
    for (; left > 0; left -= part.length) {
      if (!socket.write(part)) await once(socket, 'drain');
    }
    socket.end();
  })();
  return { sent: () => gibibyte - left, done };
}

async function readAll(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (part) => {
    bytes += part.length;
  });
  await once(socket.resume(), 'end');
  return bytes;
}

describe('a reader that does not read', () => {
  for (const [who, roles] of [
    ['client', (client: Socket, backend: Socket) => ({ reader: client, writer: backend })],
    ['backend', (client: Socket, backend: Socket) => ({ reader: backend, writer: client })],
  ] as const) {
    it(`stops its writer and costs little memory, where it is the ${who}`, async (t) => {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${port}`, '--check', 'none']);
      const beforeKiB = residentKiB(proxy.pid);

      const sockets: Socket[] = [];
      // Before the proxy is stopped, which would wait for them.
      using _ended = {
        [Symbol.dispose]() {
          for (const socket of sockets) socket.on('error', () => undefined).destroy();
          server.close();
        },
      };
      const joined: ({ reader: Socket } & Push)[] = [];
      for (let pair = 0; pair < pairs; pair++) {
        const accepted = once(server, 'connection');
        const client = connect({ port: portOf(proxy), host: '127.0.0.1', allowHalfOpen: true }).pause();
        const [backend] = (await accepted) as [Socket];
        sockets.push(client, backend);
        const { reader, writer } = roles(client, backend);
        joined.push({ reader, ...push(writer) });
      }
      const sent = () => joined.reduce((sum, one) => sum + one.sent(), 0);
      await settled(sent);
      const grownKiB = residentKiB(proxy.pid) - beforeKiB;
      t.diagnostic(
        `${pairs} connections took ${grownKiB} KiB, and ${sent() >> 20} MiB in all the kernel's buffers`,
      );
      assert.ok(sent() < (pairs * gibibyte) / 8);
      assert.ok(grownKiB < mostKiB, `${grownKiB} KiB`);

      const [first] = joined;
      assert.equal(await readAll(first!.reader), gibibyte);
      await first!.done;
      assert.ok(residentKiB(proxy.pid) - beforeKiB < mostKiB);
    });
  }
});
