import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { SluiceError } from '../../../lib/model/errors.ts';
import type { DatagramOwner, DatagramSocket } from '../../../lib/proxy/socket/datagram.ts';
import { nodeUdp } from '../../../lib/proxy/socket/node-udp.ts';
import { rest, until } from './node-support.ts';

/** RFC 768: 65,535 bytes less a UDP and an IPv4 header. */
const largestDatagram = 65_507;

class Recorder implements DatagramOwner {
  readonly received: { bytes: Uint8Array; address: string; port: number }[] = [];
  readonly failures: string[] = [];

  onDatagram(bytes: Uint8Array, address: string, port: number): void {
    this.received.push({ bytes, address, port });
  }
  onFailure(code: string): void {
    this.failures.push(code);
  }
  get texts(): string[] {
    return this.received.map(({ bytes }) => Buffer.from(bytes).toString());
  }
}

/** A socket of the transport at `host`, bound until the test ends. */
function bind(t: TestContext, host: string, port = 0) {
  const owner = new Recorder();
  const socket = nodeUdp.bind({ host, port }, owner);
  t.after(() => socket.close());
  return { owner, socket, port: socket.address.port };
}

/** A socket of the transport that is connected until the test ends. */
function connect(t: TestContext, host: string, port: number) {
  const owner = new Recorder();
  const socket = nodeUdp.connect(host, port, owner) as DatagramSocket;
  t.after(() => socket.close());
  return { owner, socket, port: socket.address.port };
}

/** A socket of `node:dgram` at `host`, and what it hears. */
async function peerAt(t: TestContext, host: string) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  const received: { text: string; bytes: Buffer; from: RemoteInfo }[] = [];
  socket.on('message', (bytes, from) => received.push({ text: bytes.toString(), bytes, from }));
  t.after(() => socket.close());
  return { received, port, send: (bytes: string | Buffer, to: number) => socket.send(bytes, to, host) };
}

/** A port of the loopback where nobody hears a datagram. */
async function deafPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

describe('a bound UDP socket of Node', () => {
  for (const [host, from, seen] of [
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['::1', '::1', '::1'],
    ['::', '::1', '::1'],
    ['', '::1', '::1'],
    ['', '127.0.0.1', '::ffff:127.0.0.1'],
  ] as const) {
    it(`receives and answers at ${host || 'every address'} what ${from} sends`, async (t) => {
      const { owner, socket, port } = bind(t, host);
      const peer = await peerAt(t, from);
      peer.send('question', port);
      await until(() => owner.received.length > 0);
      const { address, port: clientPort } = owner.received[0]!;
      assert.deepEqual([address, clientPort], [seen, peer.port]);
      assert.equal(socket.sendTo(Buffer.from('answer'), address, clientPort), null);
      await until(() => peer.received.length > 0);
      assert.deepEqual([owner.texts, peer.received[0]!.text], [['question'], 'answer']);
    });
  }

  it('leaves IPv4 alone at [::]', (t) => {
    const { port } = bind(t, '::');
    bind(t, '0.0.0.0', port);
  });

  for (const host of ['127.0.0.1', '::1', '']) {
    it(`refuses a port of ${host || 'every address'} that is taken, by name`, (t) => {
      const { socket, port } = bind(t, host);
      const shown = host.includes(':') ? `[${host}]` : host;
      assert.throws(
        () => bind(t, host, port),
        (error) =>
          error instanceof SluiceError &&
          error.code === 'ERR_SLUICE_ADDRESS_IN_USE' &&
          error.message === `udp://${shown}:${port} is already in use`,
      );
      socket.close();
      bind(t, host, port);
    });
  }

  it('refuses an address that is not of this machine', (t) => {
    for (const host of ['192.0.2.1', '2001:db8::1']) {
      assert.throws(() => bind(t, host), { code: 'ERR_SLUICE_ADDRESS_NOT_LOCAL' });
    }
  });

  it('takes a burst while JavaScript is busy elsewhere', async (t) => {
    const { owner, port } = bind(t, '127.0.0.1');
    const { socket: sender } = connect(t, '127.0.0.1', port);
    // More than the receive buffer holds that a socket is given by default; nothing is received meanwhile.
    const sent = Array.from({ length: 400 }, (_, i) => `datagram ${i}`);
    for (const text of sent) assert.equal(sender.send(Buffer.from(text)), null);
    await until(() => owner.received.length >= sent.length);
    assert.deepEqual(owner.texts, sent);
  });

  it('is silent once it is closed', async (t) => {
    const { owner, socket, port } = bind(t, '127.0.0.1');
    const peer = await peerAt(t, '127.0.0.1');
    peer.send('early', port);
    await until(() => owner.received.length > 0);
    peer.send('late', port);
    socket.close();
    await rest();
    assert.deepEqual(owner.texts, ['early']);
    assert.equal(socket.sendTo(Buffer.from('answer'), '127.0.0.1', peer.port), null);
    await rest();
    assert.deepEqual(peer.received, []);
  });
});

describe('a connected UDP socket of Node', () => {
  for (const host of ['127.0.0.1', '::1']) {
    it(`speaks with its peer at ${host}`, async (t) => {
      const peer = await peerAt(t, host);
      const { owner, socket, port } = connect(t, host, peer.port);
      assert.equal(socket.send(Buffer.from('question')), null);
      await until(() => peer.received.length > 0);
      assert.equal(peer.received[0]!.from.port, port);
      peer.send('answer', port);
      await until(() => owner.received.length > 0);
      assert.deepEqual([peer.received[0]!.text, owner.texts], ['question', ['answer']]);
    });
  }

  it('hears nobody else', async (t) => {
    const peer = await peerAt(t, '127.0.0.1');
    const stranger = await peerAt(t, '127.0.0.1');
    const { owner, port } = connect(t, '127.0.0.1', peer.port);
    stranger.send('strange', port);
    await rest();
    peer.send('familiar', port);
    await until(() => owner.received.length > 0);
    assert.deepEqual(owner.texts, ['familiar']);
  });

  it('carries datagrams of every size, the empty and the largest too, each whole', async (t) => {
    const peer = await peerAt(t, '127.0.0.1');
    const { owner, socket, port } = connect(t, '127.0.0.1', peer.port);
    for (const length of [0, 1, 1_472, 1_473, 9_000, 65_000, largestDatagram]) {
      const bytes = Buffer.alloc(length, `${length} `);
      assert.equal(socket.send(bytes), null);
      await until(() => peer.received.length > 0);
      assert.ok(peer.received.pop()!.bytes.equals(bytes), `${length} bytes there`);
      peer.send(bytes, port);
      await until(() => owner.received.length > 0);
      assert.ok(Buffer.from(owner.received.pop()!.bytes).equals(bytes), `${length} bytes back`);
    }
  });

  it('says that a datagram is too large, and sends the next', async (t) => {
    const peer = await peerAt(t, '127.0.0.1');
    const { owner, socket } = connect(t, '127.0.0.1', peer.port);
    assert.equal(socket.send(Buffer.alloc(largestDatagram + 1)), 'EMSGSIZE');
    assert.equal(socket.send(Buffer.from('next')), null);
    await until(() => peer.received.length > 0);
    assert.equal(peer.received[0]!.text, 'next');
    assert.deepEqual(owner.failures, []);
  });

  it('leaves what it has received to the receiver', async (t) => {
    const peer = await peerAt(t, '127.0.0.1');
    const { owner, port } = connect(t, '127.0.0.1', peer.port);
    for (let i = 0; i < 20; i++) {
      peer.send(Buffer.alloc(1_000, i), port);
      await until(() => owner.received.length > i);
    }
    assert.ok(owner.received.every(({ bytes }, i) => bytes.every((byte) => byte === i)));
  });

  it('tells of a peer that is gone, by itself or with the next datagram', async (t) => {
    const { owner, socket } = connect(t, '127.0.0.1', await deafPort());
    assert.equal(socket.send(Buffer.from('anyone?')), null);
    await until(() => owner.failures.length > 0);
    assert.deepEqual(owner.failures, ['ECONNREFUSED']);
    assert.equal(socket.send(Buffer.from('anyone?')), null);
    assert.equal(socket.send(Buffer.from('anyone?')), 'ECONNREFUSED');
  });

  it('says why it cannot be had', () => {
    assert.equal(nodeUdp.connect('not an address', 53, new Recorder()), 'EINVAL');
  });

  it('is silent once it is closed', async (t) => {
    const peer = await peerAt(t, '127.0.0.1');
    const { owner, socket, port } = connect(t, '127.0.0.1', peer.port);
    socket.close();
    assert.deepEqual(socket.address, { host: '', port: 0 });
    peer.send('late', port);
    await rest();
    assert.equal(socket.send(Buffer.from('.')), null);
    assert.deepEqual([owner.texts, owner.failures], [[], []]);
  });
});
