import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { udpProbe } from '../../../lib/health/session/udp.ts';
import { defaultCheckTiming } from '../../../lib/model/spec.ts';
import { eventually, host, tell, unwell, well } from './loopback.ts';

const ping = Buffer.from('ping').toString('hex');
const pong = Buffer.from('pong').toString('hex');
const expectsPong = udpProbe({ ...defaultCheckTiming, type: 'udp', send: ping, expect: pong });
const expectsAnything = udpProbe({ ...defaultCheckTiming, type: 'udp', send: ping });

async function answer(
  t: TestContext,
  onMessage: (this: Socket, message: Buffer, from: RemoteInfo) => void = () => undefined,
): Promise<number> {
  const socket = createSocket('udp4', onMessage).bind(0, host);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
}

describe('a UDP probe', () => {
  it('passes when the answer begins as expected, and closes its socket', async (t) => {
    const port = await answer(t, function (message, from) {
      this.send(message.toString() === 'ping' ? 'pong 42' : 'what?', from.port, from.address);
    });
    const before = openSockets();
    assert.deepEqual(await tell(expectsPong, port), well);
    await eventually(() => openSockets() <= before);
  });

  it('tells an answer that begins otherwise', async (t) => {
    const port = await answer(t, function (_message, from) {
      this.send('no pong', from.port, from.address);
    });
    assert.deepEqual(await tell(expectsPong, port), unwell('answer does not match'));
  });

  it('tells an answer that is shorter than what is expected', async (t) => {
    const port = await answer(t, function (_message, from) {
      this.send('po', from.port, from.address);
    });
    assert.deepEqual(await tell(expectsPong, port), unwell('answer does not match'));
  });

  it('takes any answer where none is expected, even an empty one', async (t) => {
    const port = await answer(t, function (_message, from) {
      this.send('', from.port, from.address);
    });
    assert.deepEqual(await tell(expectsAnything, port), well);
  });

  it('tells a backend that does not answer, and closes its socket', async (t) => {
    const port = await answer(t);
    const before = openSockets();
    assert.deepEqual(await tell(expectsPong, port, 100), unwell('timed out', 'unknown'));
    await eventually(() => openSockets() <= before);
  });

  it('tells a closed port by its ICMP answer', async () => {
    const socket = createSocket('udp4').bind(0, host);
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    await once(socket, 'close');
    assert.deepEqual(await tell(expectsPong, port), unwell('connection refused'));
  });

  it('does not listen to strangers', async (t) => {
    const stranger = createSocket('udp4');
    t.after(() => stranger.close());
    const port = await answer(t, (_message, from) => stranger.send('pong', from.port, from.address));
    assert.deepEqual(await tell(expectsPong, port, 200), unwell('timed out', 'unknown'));
  });
});
