/** What every UDP transport that opens real sockets promises (`lib/proxy/socket/datagram.ts`), between peers of `node:dgram`. */
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { SluiceError } from '../../../lib/model/errors.ts';
import type {
  BoundSocket,
  BoundSocketOwner,
  ClientOwner,
  ConnectedSocket,
  Datagram,
  PeerOwner,
  UdpClient,
  UdpTransport,
} from '../../../lib/proxy/socket/datagram.ts';
import { rest, until } from './node-support.ts';

/** RFC 768: 65,535 bytes less a UDP and an IPv4 header. */
const largestDatagram = 65_507;

/** Bytes that lie somewhere, as those of a datagram on its way do. */
export function datagramOf(content: string | Uint8Array): Datagram {
  const bytes = Buffer.concat([Buffer.from('before'), Buffer.from(content), Buffer.from('behind')]);
  return { bytes, offset: 6, length: bytes.length - 12 };
}

function contentOf({ bytes, offset, length }: Datagram): Buffer {
  return Buffer.from(bytes.subarray(offset, offset + length));
}

/** Notes what it hears from whom; accepts every stranger unless told otherwise. */
export class Listener implements BoundSocketOwner {
  readonly received: { readonly text: string; readonly client: UdpClient | null }[] = [];
  readonly unsent: string[] = [];
  readonly failures: string[] = [];
  socket!: BoundSocket;
  accepts = true;
  /** Instead of keeping to itself what a client says. */
  onText: (text: string, client: UdpClient, datagram: Datagram) => void = () => undefined;

  onStranger(datagram: Datagram): void {
    if (!this.accepts) {
      this.received.push({ text: String(contentOf(datagram)), client: null });
      return;
    }
    const owner: ClientOwner = { onClientDatagram: (next) => this.#note(next, client) };
    const client = this.socket.accept(owner);
    this.#note(datagram, client);
  }
  onUnsent(code: string): void {
    this.unsent.push(code);
  }
  onFailure(code: string): void {
    this.failures.push(code);
  }
  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }
  get clients(): UdpClient[] {
    return [...new Set(this.received.map(({ client }) => client!))];
  }

  #note(datagram: Datagram, client: UdpClient): void {
    const text = String(contentOf(datagram));
    this.received.push({ text, client });
    this.onText(text, client, datagram);
  }
}

class PeerRecorder implements PeerOwner {
  readonly received: Buffer[] = [];
  readonly failures: string[] = [];

  onPeerDatagram(datagram: Datagram): void {
    this.received.push(contentOf(datagram));
  }
  onPeerFailure(code: string): void {
    this.failures.push(code);
  }
  get texts(): string[] {
    return this.received.map(String);
  }
}

/** A socket of `node:dgram` at `host`, and what it hears. */
export async function peerAt(t: TestContext, host: string) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  const received: { text: string; bytes: Buffer; from: RemoteInfo }[] = [];
  socket.on('message', (bytes, from) => received.push({ text: bytes.toString(), bytes, from }));
  t.after(() => socket.close());
  return {
    received,
    port,
    send: (bytes: string | Buffer, to: number, at = host) => socket.send(bytes, to, at),
  };
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

/** A socket of the transport at `host`, bound until the test ends. */
export function bindFor(t: TestContext, transport: UdpTransport, host: string, port = 0) {
  const owner = new Listener();
  const socket = transport.bind({ host, port }, owner);
  owner.socket = socket;
  t.after(() => socket.close());
  return { owner, socket, port: socket.port };
}

/** A socket of the transport that is connected until the test ends. */
export function connectFor(t: TestContext, transport: UdpTransport, host: string, port: number) {
  const owner = new PeerRecorder();
  const socket = transport.connect(host, port, owner) as ConnectedSocket;
  t.after(() => socket.close());
  return { owner, socket, send: (content: string | Uint8Array) => socket.send(datagramOf(content)) };
}

export function describeUdpContract(name: string, open: () => UdpTransport): void {
  const transport = open();
  const bind = (t: TestContext, host: string, port?: number) => bindFor(t, transport, host, port);
  const connect = (t: TestContext, host: string, port: number) => connectFor(t, transport, host, port);

  describe(`a bound socket of ${name}`, () => {
    for (const [host, from, seen] of [
      ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
      ['0.0.0.0', '127.0.0.1', '127.0.0.1'],
      ['::1', '::1', '::1'],
      ['::', '::1', '::1'],
      ['', '::1', '::1'],
      ['', '127.0.0.1', '127.0.0.1'],
    ] as const) {
      it(`receives and answers at ${host || 'every address'} what ${from} sends`, async (t) => {
        const { owner, port } = bind(t, host);
        const peer = await peerAt(t, from);
        peer.send('question', port);
        await until(() => owner.received.length > 0);
        const [client] = owner.clients;
        assert.deepEqual([client!.address, client!.port], [seen, peer.port]);
        client!.send(datagramOf('answer'));
        await until(() => peer.received.length > 0);
        assert.deepEqual([owner.texts, peer.received[0]!.text], [['question'], 'answer']);
      });
    }

    it('knows a client again, and tells it from others', async (t) => {
      const { owner, port } = bind(t, '127.0.0.1');
      const [one, other] = [await peerAt(t, '127.0.0.1'), await peerAt(t, '127.0.0.1')];
      for (const text of ['first', 'second', 'third']) {
        one.send(text, port);
        other.send(text, port);
      }
      await until(() => owner.received.length === 6);
      assert.deepEqual(owner.clients.map((client) => client.port).sort(), [one.port, other.port].sort());
      for (const client of owner.clients) client.send(datagramOf(`to ${client.port}`));
      await until(() => one.received.length + other.received.length === 2);
      assert.deepEqual(
        [one.received[0]!.text, other.received[0]!.text],
        [`to ${one.port}`, `to ${other.port}`],
      );
    });

    it('takes a client that was closed for a stranger', async (t) => {
      const { owner, port } = bind(t, '127.0.0.1');
      const peer = await peerAt(t, '127.0.0.1');
      peer.send('first', port);
      await until(() => owner.received.length === 1);
      owner.clients[0]!.close();
      peer.send('second', port);
      await until(() => owner.received.length === 2);
      assert.equal(owner.clients.length, 2);
    });

    it('keeps nobody whom its owner does not accept', async (t) => {
      const { owner, port } = bind(t, '127.0.0.1');
      owner.accepts = false;
      const peer = await peerAt(t, '127.0.0.1');
      peer.send('first', port);
      peer.send('second', port);
      await until(() => owner.received.length === 2);
      assert.deepEqual(owner.clients, [null]);
    });

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

    it('takes a burst while JavaScript is busy elsewhere, and answers it', async (t) => {
      const { owner, port } = bind(t, '127.0.0.1');
      const { owner: peer, send } = connect(t, '127.0.0.1', port);
      owner.onText = (_text, client, datagram) => client.send(datagram);
      // More than the receive buffer holds that a socket is given by default; nothing is received meanwhile.
      const sent = Array.from({ length: 400 }, (_, i) => `datagram ${i}`);
      for (const text of sent) assert.equal(send(text), null);
      await until(() => owner.received.length >= sent.length);
      assert.deepEqual(owner.texts, sent);
      // What it is answered at once is more than it can hold.
      await rest();
      assert.deepEqual(peer.texts, sent.slice(0, peer.texts.length));
      assert.ok(peer.texts.length > 100);
    });

    it('says that an answer is too large, and sends the next', async (t) => {
      const { owner, port } = bind(t, '127.0.0.1');
      const peer = await peerAt(t, '127.0.0.1');
      owner.onText = (_text, client) => {
        client.send(datagramOf(Buffer.alloc(largestDatagram + 1)));
        client.send(datagramOf('next'));
      };
      peer.send('question', port);
      await until(() => peer.received.length > 0);
      assert.deepEqual([peer.received[0]!.text, owner.unsent], ['next', ['EMSGSIZE']]);
    });

    it('sends answers in the order in which they are given to it, what it is asked among them', async (t) => {
      const { owner, port } = bind(t, '127.0.0.1');
      const peer = await peerAt(t, '127.0.0.1');
      owner.onText = (_text, client, datagram) => {
        client.send(datagramOf('one'));
        client.send(datagram);
        client.send(datagramOf('two'));
        client.send(datagram);
      };
      peer.send('question', port);
      await until(() => peer.received.length === 4);
      assert.deepEqual(
        peer.received.map(({ text }) => text),
        ['one', 'question', 'two', 'question'],
      );
    });

    it('may be closed while it tells of a datagram, with the answer on its way', async (t) => {
      const { owner, socket, port } = bind(t, '127.0.0.1');
      const peer = await peerAt(t, '127.0.0.1');
      owner.onText = (_text, client, datagram) => {
        client.send(datagram);
        socket.close();
        client.send(datagramOf('too late'));
        client.close();
      };
      peer.send('question', port);
      peer.send('unheard', port);
      await until(() => peer.received.length > 0);
      await rest();
      assert.deepEqual(owner.texts, ['question']);
      assert.deepEqual(
        peer.received.map(({ text }) => text),
        ['question'],
      );
      assert.deepEqual(owner.unsent, []);
    });

    it('is silent once it is closed', async (t) => {
      const { owner, socket, port } = bind(t, '127.0.0.1');
      const peer = await peerAt(t, '127.0.0.1');
      peer.send('early', port);
      await until(() => owner.received.length > 0);
      peer.send('late', port);
      socket.close();
      assert.equal(socket.port, 0);
      await rest();
      owner.clients[0]!.send(datagramOf('answer'));
      await rest();
      assert.deepEqual([owner.texts, owner.unsent, peer.received], [['early'], [], []]);
    });
  });

  describe(`a connected socket of ${name}`, () => {
    for (const host of ['127.0.0.1', '::1']) {
      it(`speaks with its peer at ${host}`, async (t) => {
        const peer = await peerAt(t, host);
        const { owner, send } = connect(t, host, peer.port);
        assert.equal(send('question'), null);
        await until(() => peer.received.length > 0);
        peer.send('answer', peer.received[0]!.from.port);
        await until(() => owner.received.length > 0);
        assert.deepEqual([peer.received[0]!.text, owner.texts], ['question', ['answer']]);
      });
    }

    it('hears nobody else', async (t) => {
      const peer = await peerAt(t, '127.0.0.1');
      const stranger = await peerAt(t, '127.0.0.1');
      const { owner, send } = connect(t, '127.0.0.1', peer.port);
      send('question');
      await until(() => peer.received.length > 0);
      const { from } = peer.received[0]!;
      stranger.send('strange', from.port);
      await rest();
      peer.send('familiar', from.port);
      await until(() => owner.received.length > 0);
      assert.deepEqual(owner.texts, ['familiar']);
    });

    it('carries datagrams of every size, the empty and the largest too, each whole', async (t) => {
      const peer = await peerAt(t, '127.0.0.1');
      const { owner, send } = connect(t, '127.0.0.1', peer.port);
      for (const length of [0, 1, 1_472, 1_473, 9_000, 65_000, largestDatagram]) {
        const bytes = Buffer.alloc(length, `${length} `);
        assert.equal(send(bytes), null);
        await until(() => peer.received.length > 0);
        const { bytes: arrived, from } = peer.received.pop()!;
        assert.ok(arrived.equals(bytes), `${length} bytes there`);
        peer.send(bytes, from.port);
        await until(() => owner.received.length > 0);
        assert.ok(owner.received.pop()!.equals(bytes), `${length} bytes back`);
      }
    });

    it('carries many of the largest at once, each whole', async (t) => {
      const { owner, port } = bind(t, '127.0.0.1');
      const { send } = connect(t, '127.0.0.1', port);
      const texts = Array.from({ length: 3 }, (_, i) => `${i}`.repeat(largestDatagram));
      for (const text of texts) assert.equal(send(text), null);
      await until(() => owner.received.length === texts.length);
      assert.deepEqual(owner.texts, texts);
    });

    it('says that a datagram is too large, and sends the next', async (t) => {
      const peer = await peerAt(t, '127.0.0.1');
      const { owner, send } = connect(t, '127.0.0.1', peer.port);
      assert.equal(send(Buffer.alloc(largestDatagram + 1)), 'EMSGSIZE');
      assert.equal(send('next'), null);
      await until(() => peer.received.length > 0);
      assert.equal(peer.received[0]!.text, 'next');
      assert.deepEqual(owner.failures, []);
    });

    it('tells of a peer that is gone, by itself or with the next datagram', async (t) => {
      const { owner, send } = connect(t, '127.0.0.1', await deafPort());
      assert.equal(send('anyone?'), null);
      await until(() => owner.failures.length > 0);
      assert.deepEqual(owner.failures, ['ECONNREFUSED']);
      assert.equal(send('anyone?'), null);
      assert.equal(send('anyone?'), 'ECONNREFUSED');
    });

    it('says why it cannot be had', () => {
      assert.equal(transport.connect('not an address', 53, new PeerRecorder()), 'EINVAL');
    });

    it('is silent once it is closed', async (t) => {
      const peer = await peerAt(t, '127.0.0.1');
      const { owner, socket, send } = connect(t, '127.0.0.1', peer.port);
      send('question');
      await until(() => peer.received.length > 0);
      socket.close();
      peer.send('late', peer.received[0]!.from.port);
      await rest();
      assert.equal(send('.'), null);
      assert.deepEqual([owner.texts, owner.failures], [[], []]);
    });
  });
}
