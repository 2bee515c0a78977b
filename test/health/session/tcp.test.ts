import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tcpProbe } from '../../../lib/health/session/tcp.ts';
import { blackhole, closedPort, eventually, openSockets, serve, tell, unwell, well } from './loopback.ts';

describe('a TCP probe', () => {
  it('passes where the port is open', async (t) => {
    assert.deepEqual(await tell(tcpProbe, await serve(t)), well);
  });

  it('tells a closed port', async () => {
    assert.deepEqual(await tell(tcpProbe, await closedPort()), unwell('connection refused'));
  });

  it('tells a backend that does not answer, and leaves no socket behind', async (t) => {
    const port = await blackhole(t);
    const before = openSockets();
    assert.deepEqual(await tell(tcpProbe, port, 100), unwell('timed out', 'unknown'));
    await eventually(() => openSockets() <= before);
  });

  it('closes with a FIN, though a greeting was on its way', async (t) => {
    const { promise: end, resolve, reject } = withResolvers();
    const port = await serve(t, (socket) => {
      socket.on('error', reject);
      socket.write('220 mail.example ready\r\n'.repeat(100));
      socket.resume().on('end', () => socket.end('221 bye\r\n'));
      socket.on('close', resolve);
    });
    assert.deepEqual(await tell(tcpProbe, port), well);
    await end;
  });

  it('lets go of a backend that never stops talking', { timeout: 20_000 }, async (t) => {
    const { promise: reset, resolve } = withResolvers();
    let saidBytes = 0;
    const port = await serve(t, (socket) => {
      const babble = (): void => {
        while (socket.writable && socket.write('x'.repeat(16_384)));
        saidBytes = socket.bytesWritten;
      };
      socket.on('drain', babble).on('close', resolve);
      babble();
    });
    assert.deepEqual(await tell(tcpProbe, port), well);
    await reset;
    // What the system's buffers swallow, but not what a second of listening would.
    assert.ok(saidBytes < 32 * 1024 * 1024, `${saidBytes} bytes were read`);
  });

  it('lets go of a backend that never closes its half', { timeout: 20_000 }, async (t) => {
    const { promise: reset, resolve } = withResolvers();
    const port = await serve(t, (socket) => {
      const talk = setInterval(() => socket.write('.'), 50);
      socket.resume().on('close', () => {
        clearInterval(talk);
        resolve();
      });
    });
    assert.deepEqual(await tell(tcpProbe, port), well);
    await reset;
  });
});

/** `Promise.withResolvers`, which Node 20 does not have yet. */
function withResolvers() {
  let resolve = (): void => undefined;
  let reject = (_error: Error): void => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
