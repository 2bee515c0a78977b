import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SluiceError } from '../../../lib/model/errors.ts';
import { nodeTcp } from '../../../lib/proxy/socket/node-tcp.ts';
import type { Stream } from '../../../lib/proxy/socket/stream.ts';
import { closedPort } from '../../health/session/loopback.ts';
import { isListening } from '../../support/ports.ts';
import { dial, NetBackend, type NetPeer, rest, until } from './node-support.ts';
import { describeStreamContract, Recorder } from './stream-contract.ts';

describeStreamContract('Node', async () => {
  const backend = await NetBackend.start();
  const clients: NetPeer[] = [];
  const streams: Stream[] = [];
  return {
    transport: {
      listen: nodeTcp.listen,
      connect(...to) {
        const stream = nodeTcp.connect(...to);
        streams.push(stream);
        return stream;
      },
    },
    backend: { host: '127.0.0.1', port: backend.port },
    nowhere: { host: '127.0.0.1', port: await closedPort() },
    accepted: () => backend.accepted.at(-1),
    client(port) {
      const client = dial(port);
      clients.push(client);
      return client;
    },
    until,
    rest,
    async [Symbol.asyncDispose]() {
      for (const stream of streams) stream.close();
      for (const { socket } of clients) socket.destroy();
      await backend[Symbol.asyncDispose]();
    },
  };
});

/** A listener that is open until the test ends, and what it has accepted. */
function listen(t: TestContext, host: string, port = 0) {
  const streams: Stream[] = [];
  const listener = nodeTcp.listen({ host, port }, (stream) => {
    streams.push(stream);
    t.after(() => stream.reset());
  });
  t.after(() => listener.close());
  return { listener, streams, port: listener.address.port };
}

function dialFor(t: TestContext, port: number, host?: string): NetPeer {
  const peer = dial(port, host);
  t.after(() => peer.socket.destroy());
  return peer;
}

/** A stream that is connected to a backend of the test's own, and the peer there. */
async function connect(t: TestContext, host = '127.0.0.1') {
  const backend = await NetBackend.start(undefined, host);
  t.after(() => backend[Symbol.asyncDispose]());
  const owner = new Recorder();
  const stream = nodeTcp.connect(host, backend.port, owner);
  t.after(() => stream.close());
  await until(() => owner.events.length > 0 && backend.accepted.length > 0);
  assert.deepEqual(owner.events.splice(0), ['connected: null']);
  return { stream, owner, peer: backend.accepted[0]!, port: backend.port };
}

/**
 * Sends an answer in two pieces to each question, many times. Where the second piece waits for the first one's
 * acknowledgement (RFC 896), which the peer delays (RFC 1122 §4.2.3.2), each takes 40 ms.
 */
async function manyAnswersInTwoPieces(stream: Stream, peer: NetPeer): Promise<number> {
  const owner = new Recorder();
  stream.start(owner);
  const startedMs = performance.now();
  for (let i = 1; i <= 100; i++) {
    peer.send('?');
    await until(() => owner.bytes.length === i);
    stream.write(Buffer.from('a'));
    stream.write(Buffer.from('b'));
    await until(() => peer.bytes().length === 2 * i);
  }
  return performance.now() - startedMs;
}

describe('a TCP listener of Node', () => {
  for (const [host, from, seen] of [
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1', '127.0.0.1'],
    ['::1', '::1', '::1'],
    ['::', '::1', '::1'],
    ['', '::1', '::1'],
    ['', '127.0.0.1', '::ffff:127.0.0.1'],
  ] as const) {
    it(`accepts ${from} at ${host || 'every address'}`, async (t) => {
      const { port, streams } = listen(t, host);
      const client = dialFor(t, port, from);
      await until(() => streams.length > 0);
      const [stream] = streams;
      assert.deepEqual([stream!.remoteAddress, stream!.remotePort], [seen, client.socket.localPort]);
      assert.deepEqual([stream!.localAddress, stream!.localPort], [seen, port]);
    });
  }

  it('leaves IPv4 alone at [::]', async (t) => {
    const { port } = listen(t, '::');
    listen(t, '0.0.0.0', port);
  });

  for (const host of ['127.0.0.1', '::1', '']) {
    it(`refuses a port of ${host || 'every address'} that is taken, by name`, (t) => {
      const { listener, port } = listen(t, host);
      const shown = host.includes(':') ? `[${host}]` : host;
      assert.throws(
        () => listen(t, host, port),
        (error) =>
          error instanceof SluiceError &&
          error.code === 'ERR_SLUICE_ADDRESS_IN_USE' &&
          error.message === `tcp://${shown}:${port} is already in use`,
      );
      listener.close();
      listen(t, host, port);
    });
  }

  it('refuses an address that is not of this machine', (t) => {
    for (const host of ['192.0.2.1', '2001:db8::1']) {
      assert.throws(() => listen(t, host), { code: 'ERR_SLUICE_ADDRESS_NOT_LOCAL' });
    }
  });

  it('takes on all who have arrived before it refuses', async (t) => {
    const { listener, port, streams } = listen(t, '127.0.0.1');
    for (let client = 0; client < 20; client++) dialFor(t, port);
    // Behind the connects, before the first of them is accepted.
    process.nextTick(() => listener.refuse());
    await until(() => streams.length === 20);
  });

  it('gives up the address when it refuses, and lets those be that it has accepted', async (t) => {
    const { listener, port, streams } = listen(t, '127.0.0.1');
    const early = dialFor(t, port);
    await until(() => streams.length > 0);
    listener.refuse();
    await until(() => !isListening('tcp', port));
    const late = dialFor(t, port);
    await until(() => late.error !== null);
    assert.equal(late.error, 'ECONNREFUSED');
    listen(t, '127.0.0.1', port);
    const owner = new Recorder();
    streams[0]!.start(owner);
    early.send('still here');
    await until(() => owner.bytes.length > 0);
  });

  it('has nothing wait that could be sent', async (t) => {
    const { port, streams } = listen(t, '127.0.0.1');
    const client = dialFor(t, port);
    await until(() => streams.length > 0);
    assert.ok((await manyAnswersInTwoPieces(streams[0]!, client)) < 2_000);
  });
});

describe('a TCP connection of Node', () => {
  it('reaches IPv6', async (t) => {
    const { stream } = await connect(t, '::1');
    assert.equal(stream.remoteAddress, '::1');
  });

  it('has nothing wait that could be sent', async (t) => {
    const { stream, peer } = await connect(t);
    assert.ok((await manyAnswersInTwoPieces(stream, peer)) < 2_000);
  });

  it('tells later, too, of what fails at once', async () => {
    const owner = new Recorder();
    nodeTcp.connect('not an address', 80, owner);
    assert.deepEqual(owner.events, []);
    await until(() => owner.events.length > 0);
    assert.deepEqual(owner.events, ['connected: EINVAL']);
  });

  it('keeps the names that it was asked for, and has no others once it is closed', async (t) => {
    const [asked, unasked] = [await connect(t), await connect(t)];
    assert.equal(asked.stream.remoteAddress, '127.0.0.1');
    for (const { stream } of [asked, unasked]) stream.close();
    assert.deepEqual([asked.stream.remoteAddress, asked.stream.remotePort], ['127.0.0.1', asked.port]);
    assert.deepEqual([unasked.stream.remoteAddress, unasked.stream.remotePort], ['', 0]);
    assert.deepEqual([unasked.stream.localAddress, unasked.stream.localPort], ['', 0]);
  });

  it('fails a write that comes after a RST, and tells its owner at once', async (t) => {
    const { stream, owner, peer } = await connect(t);
    // It does not read, so that it has not heard of the RST.
    peer.reset();
    await rest();
    stream.start(owner);
    assert.equal(stream.write(Buffer.from('too late')), false);
    assert.deepEqual(owner.events, ['failure: ECONNRESET']);
  });

  it('fails a write that waits when the peer resets', async (t) => {
    const { stream, owner, peer } = await connect(t);
    stream.start(owner);
    owner.usesUp = false;
    peer.send('lent');
    await until(() => owner.lent !== null);
    peer.stopReading();
    assert.equal(stream.write(Buffer.alloc(16 * 1024 * 1024)), false);
    peer.reset();
    await until(() => owner.events.length > 0);
    assert.match(owner.events.join(), /^failure: (ECONNRESET|EPIPE)$/);
  });

  it('ignores what is asked of it once it is closed', async (t) => {
    const { stream, owner } = await connect(t);
    stream.close();
    stream.start(owner);
    assert.equal(stream.write(Buffer.from('.')), false);
    stream.resume();
    stream.finish();
    stream.keepAlive(1);
    stream.reset();
    stream.close();
    await rest();
    assert.deepEqual(owner.events, []);
  });

  it('reads more at once, the more there is, and each byte where it belongs', async (t) => {
    const { stream, owner, peer } = await connect(t);
    const sent = Buffer.from(
      Uint8Array.from({ length: 4 * 1024 * 1024 }, (_, i) => (i * 7 + (i >> 8)) & 255),
    );
    let longest = 0;
    const onData = owner.onData.bind(owner);
    owner.onData = (from, bytes) => {
      longest = Math.max(longest, bytes.length);
      return onData(from, bytes);
    };
    peer.send(sent);
    await rest();
    stream.start(owner);
    await until(() => owner.bytes.length === sent.length);
    assert.ok(owner.bytes.equals(sent));
    assert.ok(longest > 64 * 1024, `${longest} bytes at once`);
  });

  it('hands over what it has read last, also where reads of one length follow each other', async (t) => {
    const { stream, owner, peer } = await connect(t);
    stream.start(owner);
    let expected = '';
    // The first fills the smallest buffer to the byte: the next goes to a larger one, of which it fills a part.
    for (const [length, letter] of [4_096, 4_096, 10, 10, 4_096, 4_096].map(
      (n, i) => [n, 'abcdef'[i]!] as const,
    )) {
      expected += letter.repeat(length);
      peer.send(letter.repeat(length));
      await until(() => owner.bytes.length === expected.length);
    }
    assert.equal(owner.bytes.toString(), expected);
  });

  it('leaves a lent buffer alone when it has filled it', async (t) => {
    const { stream, owner, peer } = await connect(t);
    const sent = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    peer.send(sent);
    await rest();
    owner.usesUp = false;
    stream.start(owner);
    for (let read = 0; read < sent.length; ) {
      await until(() => owner.bytes.length > read);
      const { bytes, were } = owner.lent!;
      await rest();
      assert.equal(owner.bytes.length, read + bytes.length);
      assert.ok(were.equals(bytes));
      read += bytes.length;
      stream.resume();
    }
    assert.ok(owner.bytes.equals(sent));
  });
});

describe('the read buffers of many TCP connections of Node', () => {
  /** Streams that have lent out the first read of `length` bytes each, all of them different. */
  async function lending(t: TestContext, count: number, length: number) {
    const all = await Promise.all(Array.from({ length: count }, () => connect(t)));
    for (const [i, { stream, owner, peer }] of all.entries()) {
      owner.usesUp = false;
      stream.start(owner);
      peer.send(Buffer.alloc(length, i + length));
    }
    await until(() => all.every(({ owner }) => owner.lent !== null));
    return all;
  }

  type Lending = Awaited<ReturnType<typeof lending>>;

  function assertUntouched(all: Lending): void {
    for (const { owner } of all) {
      const { bytes, were } = owner.lent!;
      assert.ok(were.equals(bytes));
    }
    assert.equal(new Set(all.map(({ owner }) => owner.lent!.bytes.buffer)).size, all.length);
  }

  // One that leaves its buffer half empty, and one that fills it and is given a larger one.
  for (const length of [10, 5_000]) {
    it(`are never shared while ${length} bytes are lent, not even when the lender is closed`, async (t) => {
      const first = await lending(t, 8, length);
      for (const { stream } of first) stream.close();
      const second = await lending(t, 8, length);
      assertUntouched([...first, ...second]);
    });
  }

  it('are never shared by those that take over what others have returned', async (t) => {
    const first = await Promise.all(Array.from({ length: 8 }, () => connect(t)));
    for (const { stream, owner, peer } of first) {
      stream.start(owner);
      peer.send('used up');
    }
    await until(() => first.every(({ owner }) => owner.bytes.length === 7));
    for (const { stream } of first) stream.close();
    assertUntouched(await lending(t, 16, 10));
  });
});
