import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectProbe } from '../../../lib/health/session/expect.ts';
import { defaultCheckTiming } from '../../../lib/model/spec.ts';
import { blackhole, closedPort, eventually, openSockets, serve, tell, unwell, well } from './loopback.ts';

const redis = expectProbe({ ...defaultCheckTiming, type: 'expect', send: 'PING\r\n', expect: '+PONG' });
const greeting = expectProbe({ ...defaultCheckTiming, type: 'expect', expect: '220 ' });

describe('an expect probe', () => {
  it('passes when the backend answers as expected', async (t) => {
    const port = await serve(t, (socket) => {
      socket.on('data', (data) => socket.write(data.toString() === 'PING\r\n' ? '+PONG\r\n' : '-ERR\r\n'));
    });
    assert.deepEqual(await tell(redis, port), well);
  });

  it('passes on a greeting when it has nothing to send, and closes', async (t) => {
    const before = openSockets();
    const port = await serve(t, (socket) =>
      socket
        .on('end', () => socket.end())
        .resume()
        .write('220 ready\r\n'),
    );
    assert.deepEqual(await tell(greeting, port), well);
    await eventually(() => openSockets() <= before);
  });

  it('finds a text that arrives in pieces', async (t) => {
    const port = await serve(t, (socket) => {
      socket.setNoDelay(true);
      let sent = 0;
      const drip = setInterval(() => socket.write('xx+PONG'[sent++ % 7]!), 2);
      socket.on('close', () => clearInterval(drip)).resume();
    });
    assert.deepEqual(await tell(redis, port), well);
  });

  it('tells a backend that says something else and hangs up', async (t) => {
    const port = await serve(t, (socket) => socket.resume().end('-NOAUTH\r\n'));
    assert.deepEqual(await tell(redis, port), unwell('answer does not match'));
  });

  it('tells a backend that hangs up without a word', async (t) => {
    const port = await serve(t, (socket) => socket.resume().end());
    assert.deepEqual(await tell(redis, port), unwell('no answer'));
  });

  it('tells a backend that never speaks', async (t) => {
    assert.deepEqual(await tell(redis, await serve(t), 100), unwell('timed out'));
  });

  it('tells a closed port, and one that does not answer', async (t) => {
    assert.deepEqual(await tell(redis, await closedPort()), unwell('connection refused'));
    assert.deepEqual(await tell(redis, await blackhole(t), 100), unwell('timed out', 'unknown'));
  });

  it('listens to 64 KiB and no further', async (t) => {
    const port = await serve(t, (socket) => {
      socket.resume();
      const babble = (): void => {
        while (socket.writable && socket.write('x'.repeat(16_384)));
      };
      socket.on('drain', babble);
      babble();
    });
    assert.deepEqual(await tell(redis, port), unwell('answer does not match'));
  });
});
