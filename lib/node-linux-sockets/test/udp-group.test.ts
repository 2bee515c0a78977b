import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startWorker } from '../../../test/support/worker.ts';
import { RecordWord, recordWords, type UdpBindOptions, UdpGroup } from '../lib/index.ts';
import { type UdpReceiver, udpReceiver } from './support/udp.ts';

const { EBADF, ECONNREFUSED, EINVAL, EMSGSIZE } = constants.errno;

/** A record of a batch, with the text that it speaks of, or the errno in its place. */
interface Received {
  readonly socket: number;
  readonly text: string | number;
  readonly port: number;
}

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

/** Runs a fixture to its end. */
const run = (name: string) =>
  spawnSync(process.execPath, [...process.execArgv, fixture(name)], { encoding: 'utf8', timeout: 20_000 });

/** 127.0.0.1 and 127.0.0.2, mapped into IPv6, as words. */
const loopback = [0, 0, 0xffff, 0x7f00_0001];
const secondLoopback = [0, 0, 0xffff, 0x7f00_0002];

describe('a group of UDP sockets', () => {
  let group: UdpGroup;
  let batches: Received[][];
  let onBatch: (count: number) => void;

  beforeEach(() => {
    batches = [];
    onBatch = () => undefined;
    group = new UdpGroup((count) => {
      batches.push(Array.from({ length: count }, (_, i) => read(i)));
      onBatch(count);
    });
  });
  afterEach(() => group.close());

  const word = (i: number, at: number): number => group.received[i * recordWords + at]!;

  const read = (i: number): Received => {
    const [offset, length] = [word(i, RecordWord.offset), word(i, RecordWord.length)];
    const text = length < 0 ? length : Buffer.from(group.bytes.subarray(offset, offset + length)).toString();
    return { socket: word(i, RecordWord.socket), text, port: word(i, RecordWord.port) };
  };

  /** All records of all batches, once there are so many. */
  const arrivals = async (count: number): Promise<Received[]> => {
    const signal = AbortSignal.timeout(10_000);
    while (batches.flat().length < count) await sleep(1, undefined, { signal });
    return batches.flat();
  };

  const bind = (address = '127.0.0.1', options?: UdpBindOptions): { socket: number; port: number } => {
    const socket = group.bind(address, 0, options);
    assert.ok(socket >= 0, `bind: ${socket}`);
    return { socket, port: group.port(socket) };
  };

  const connect = (port: number): number => {
    const socket = group.connect('127.0.0.1', port);
    assert.ok(socket >= 0, `connect: ${socket}`);
    return socket;
  };

  const send = (socket: number, text: string): number => {
    group.bytes.set(Buffer.from(text), group.scratch);
    return group.send(socket, group.scratch, Buffer.byteLength(text));
  };

  it('hears in one batch what has come to any of them, in order', async () => {
    const [one, other] = [bind(), bind()];
    const [toOne, toOther] = [connect(one.port), connect(other.port)];
    for (const text of ['1', '2', '3']) {
      assert.equal(send(toOne, `one ${text}`), 0);
      assert.equal(send(toOther, `other ${text}`), 0);
    }
    const texts = (await arrivals(6)).map(({ socket, text }) => `${socket === one.socket} ${text}`);
    assert.deepEqual(texts.sort(), [
      'false other 1',
      'false other 2',
      'false other 3',
      'true one 1',
      'true one 2',
      'true one 3',
    ]);
    assert.ok(batches.length < 6);
  });

  it('leaves for the next batch what exceeds one, and forgets no socket over it', async () => {
    const texts = Array.from({ length: 64 }, (_, i) => `${i}`);
    const bound = Array.from({ length: 100 }, () => bind());
    for (const { port } of bound) {
      const socket = connect(port);
      for (const text of texts) assert.equal(send(socket, text), 0);
    }
    const received = await arrivals(100 * 64);
    assert.ok(batches.every((batch) => batch.length * recordWords <= group.received.length));
    for (const { socket } of bound) {
      const heard = received.filter((record) => record.socket === socket).map(({ text }) => text);
      assert.deepEqual(heard, texts);
    }
  });

  it('carries the largest datagrams, each whole, however many come at once', async () => {
    const { port } = bind();
    const socket = connect(port);
    const texts = Array.from({ length: 30 }, (_, i) => `${i % 10}`.repeat(65_507));
    for (const text of texts) assert.equal(send(socket, text), 0);
    const received = await arrivals(texts.length);
    assert.ok(received.every(({ text }, i) => text === texts[i]));
  });

  it('tells who has sent, and where to if that is asked for', async () => {
    const plain = bind('0.0.0.0');
    const telling = bind('0.0.0.0', { tellsLocal: true });
    const told: number[][] = [];
    onBatch = (count) => {
      for (let i = 0; i < count; i++) {
        const at = i * recordWords;
        told.push([...group.received.slice(at + RecordWord.peer, at + RecordWord.scope + 1)]);
      }
    };
    for (const { port } of [plain, telling]) send(group.connect('127.0.0.2', port), '.');
    await arrivals(2);
    assert.deepEqual(
      told.sort((one, other) => one[6]! - other[6]!),
      [
        [...loopback, 0, 0, 0, 0, 0],
        [...loopback, ...secondLoopback, 0],
      ],
    );
  });

  it('says that nobody listens at a peer, in a batch or when it sends', async () => {
    const { socket: closed, port } = bind();
    group.closeSocket(closed);
    const socket = connect(port);
    assert.equal(send(socket, 'anyone?'), 0);
    const [record] = await arrivals(1);
    assert.deepEqual([record!.socket, record!.text], [socket, -ECONNREFUSED]);
    assert.equal(send(socket, 'anyone?'), 0);
    assert.equal(send(socket, 'anyone?'), -ECONNREFUSED);
  });

  it('does not give the number of a socket again before the batch is through', async () => {
    const [one, other] = [bind(), bind()];
    for (const { port } of [one, other]) send(connect(port), '.');
    const opened: number[] = [];
    onBatch = () => {
      group.closeSocket(one.socket);
      group.closeSocket(other.socket);
      opened.push(bind().socket, bind().socket);
    };
    await arrivals(2);
    for (const number of opened) assert.ok(![one.socket, other.socket].includes(number));
    onBatch = () => undefined;
    send(connect(bind().port), '.');
    await arrivals(3);
    const numbers = [bind().socket, bind().socket];
    assert.deepEqual(numbers.sort(), [one.socket, other.socket].sort());
  });

  it('may be closed by what it calls', async () => {
    const { port } = bind();
    const socket = connect(port);
    onBatch = () => group.close();
    send(socket, 'one');
    await arrivals(1);
    assert.equal(group.send(socket, 0, 1), -EBADF);
    assert.equal(group.bind('127.0.0.1', 0), -EBADF);
    assert.throws(() => group.flush(1), { code: 'ERR_SOCKETS_CLOSED' });
  });

  it('refuses what is no address, no number of a socket, and no part of its bytes', () => {
    assert.equal(group.bind('localhost', 0), -EINVAL);
    assert.equal(group.connect('', 53), -EINVAL);
    assert.equal(group.connect('fe80::1%nowhere', 53), -EINVAL);
    assert.equal(group.connect('::1%'.padEnd(200, 'x'), 53), -EINVAL);
    assert.throws(() => group.connect('127.0.0.1', 65_536), { code: 'ERR_SOCKETS_ARGUMENT' });
    const socket = connect(bind().port);
    for (const number of [-1, 99, 2 ** 31 - 1]) assert.equal(group.send(number, 0, 1), -EBADF);
    for (const [offset, length] of [
      [-1, 1],
      [0, -1],
      [0, 65_537],
      [group.bytes.length, 1],
      [2 ** 31 - 1, 2 ** 31 - 1],
    ] as const) {
      assert.equal(group.send(socket, offset, length), -EINVAL);
    }
    assert.equal(group.port(99), -EBADF);
  });

  it('sends no byte of memory that is not its own any more', () => {
    const socket = connect(bind().port);
    const memory = group.bytes.buffer as ArrayBuffer;
    structuredClone(memory, { transfer: [memory] });
    assert.equal(group.send(socket, 0, 10), -EBADF);
    assert.throws(() => group.flush(1), { code: 'ERR_SOCKETS_CLOSED' });
  });

  describe('flushing', () => {
    let receiver: UdpReceiver;
    beforeEach(async () => {
      receiver = await udpReceiver('127.0.0.1');
    });
    afterEach(() => receiver.close());

    const write = (i: number, fields: Partial<Record<keyof typeof RecordWord, number>>): void => {
      const at = i * recordWords;
      group.outgoing.fill(0, at, at + recordWords);
      group.outgoing.set(loopback, at + RecordWord.peer);
      group.outgoing[at + RecordWord.port] = receiver.port;
      group.outgoing[at + RecordWord.offset] = group.scratch + i;
      group.outgoing[at + RecordWord.length] = 1;
      for (const [name, value] of Object.entries(fields)) {
        group.outgoing[at + RecordWord[name as keyof typeof RecordWord]] = value;
      }
    };
    const lengthOf = (i: number): number => group.outgoing[i * recordWords + RecordWord.length]!;

    it('sends records of several sockets, more than one system call takes', async () => {
      const [one, other] = [bind(), bind()];
      const count = 100;
      for (let i = 0; i < count; i++) {
        group.bytes[group.scratch + i] = 0x30 + (i % 10);
        write(i, { socket: i % 50 < 40 ? one.socket : other.socket });
      }
      assert.equal(group.flush(count), 0);
      const expected = Array.from({ length: count }, (_, i) => {
        const { port } = i % 50 < 40 ? one : other;
        return `127.0.0.1:${port} ${i % 10}`;
      });
      assert.deepEqual(await receiver.arrivals(count), expected);
    });

    it('answers from the address that a record tells, where the socket tells it', async () => {
      const { socket, port } = bind('0.0.0.0', { tellsLocal: true });
      const { socket: plain, port: plainPort } = bind('0.0.0.0');
      write(0, { socket });
      write(1, { socket: plain });
      for (const i of [0, 1]) group.outgoing.set(secondLoopback, i * recordWords + RecordWord.local);
      assert.equal(group.flush(2), 0);
      const from = (await receiver.arrivals(2)).map((line) => line.split(' ')[0]);
      assert.deepEqual(from, [`127.0.0.2:${port}`, `127.0.0.1:${plainPort}`]);
    });

    it('tells which records were not sent and why, and sends the others', async () => {
      const { socket } = bind();
      const connected = connect(receiver.port);
      group.bytes.set(Buffer.from('a.......b'), group.scratch);
      write(0, { socket });
      write(1, { socket, length: 65_508 });
      write(2, { socket, length: -1 });
      write(3, { socket, offset: -1 });
      write(4, { socket, offset: group.bytes.length });
      write(5, { socket: connected });
      write(6, { socket: 99 });
      write(7, { socket, port: 0 });
      write(8, { socket });
      assert.equal(group.flush(9), 7);
      assert.deepEqual(
        Array.from({ length: 9 }, (_, i) => lengthOf(i)),
        [1, -EMSGSIZE, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EBADF, -EINVAL, 1],
      );
      const texts = (await receiver.arrivals(2)).map((line) => line.split(' ')[1]);
      assert.deepEqual(texts, ['a', 'b']);
    });
  });
});

describe('a process with a group of UDP sockets', () => {
  it('lives as long as a socket is open', () => {
    const { stdout, stderr, status } = run('group-life.ts');
    assert.deepEqual([stdout, status], ['open\nheard\nclosed\n', 0], stderr);
  });

  it('sees what is thrown while a batch is told of where it sees all that nobody catches', () => {
    const { stdout, stderr, status } = run('group-throws.ts');
    assert.deepEqual([stdout, status], ['uncaught: one\nuncaught: two\n', 0], stderr);
  });

  it('closes the sockets of a thread that ends', async () => {
    const file = new URL('./fixtures/group-thread.ts', import.meta.url);
    for (let i = 0; i < 3; i++) {
      const worker = await startWorker(file, {});
      const said = once(worker, 'message');
      worker.postMessage('port?');
      const [port] = await said;
      await worker.terminate();
      const group = new UdpGroup(() => undefined);
      assert.ok(group.bind('127.0.0.1', port) >= 0);
      group.close();
    }
  });
});
