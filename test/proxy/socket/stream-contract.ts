/**
 * What every transport promises (`lib/proxy/socket/stream.ts`), asked of the one that the product uses and of its
 * twin in memory alike: what is tested with the twin is then true of the product.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostPort } from '../../../lib/model/spec.ts';
import type { ConnectionOwner, Stream, TcpTransport } from '../../../lib/proxy/socket/stream.ts';

/** The other end of a connection. */
export interface WirePeer {
  send(bytes: string | Uint8Array): void;
  finish(): void;
  reset(): void;
  stopReading(): void;
  startReading(): void;
  /** All that it was sent. */
  bytes(): Buffer;
  gotFin(): boolean;
  gotReset(): boolean;
}

/** A transport with something around it. */
export interface Wire {
  readonly transport: TcpTransport;
  /** Where a backend listens; `accepted` is the latest connection there. */
  readonly backend: HostPort;
  accepted(): WirePeer | undefined;
  /** Where nobody listens. */
  readonly nowhere: HostPort;
  /** Connects to a listener of the transport. */
  client(port: number): WirePeer;
  /** Lets things happen until one has. */
  until(happened: () => boolean): Promise<void>;
  /** Lets everything happen that is going to. */
  rest(): Promise<void>;
}

/** An owner that notes what it hears, uses up what it is told to, and closes what has failed, as it must. */
export class Recorder implements ConnectionOwner {
  readonly events: string[] = [];
  #received: Buffer[] = [];
  /** The bytes last lent, and what they were then. */
  lent: { readonly bytes: Uint8Array; readonly length: number; readonly were: Buffer } | null = null;
  usesUp = true;

  get bytes(): Buffer {
    return Buffer.concat(this.#received);
  }

  onConnected(stream: Stream, failure: string | null): void {
    this.events.push(`connected: ${failure}`);
    if (failure !== null) stream.close();
  }
  onData(_from: Stream, bytes: Uint8Array, length: number): boolean {
    const were = Buffer.from(bytes.subarray(0, length));
    this.#received.push(were);
    if (!this.usesUp) this.lent = { bytes, length, were };
    return this.usesUp;
  }
  onWritten(): void {
    this.events.push('written');
  }
  onEnd(): void {
    this.events.push('end');
  }
  onFailure(from: Stream, code: string): void {
    this.events.push(`failure: ${code}`);
    from.close();
  }
}

/** More than any kernel takes at once for a peer that does not read. */
const flood = Buffer.alloc(16 * 1024 * 1024, 'flood ');

export function describeStreamContract(name: string, newWire: () => Promise<Wire & AsyncDisposable>): void {
  const withWire = (test: (wire: Wire) => Promise<void>) => async () => {
    await using wire = await newWire();
    await test(wire);
  };

  /** A stream that the transport has connected, started, and the peer at its other end. */
  async function connected(wire: Wire) {
    const owner = new Recorder();
    const stream = wire.transport.connect(wire.backend.host, wire.backend.port, owner);
    await wire.until(() => owner.events.length > 0 && wire.accepted() !== undefined);
    assert.deepEqual(owner.events.splice(0), ['connected: null']);
    stream.start(owner);
    return { owner, stream, peer: wire.accepted()! };
  }

  describe(`a stream of ${name}`, () => {
    it(
      'tells of a connection later, not from within the connect',
      withWire(async ({ transport, backend, until }) => {
        const owner = new Recorder();
        const stream = transport.connect(backend.host, backend.port, owner);
        assert.deepEqual(owner.events, []);
        await until(() => owner.events.length > 0);
        assert.deepEqual(owner.events, ['connected: null']);
        assert.equal(stream.remotePort, backend.port);
        stream.close();
      }),
    );

    it(
      'tells of a refusal in the same way',
      withWire(async ({ transport, nowhere, until }) => {
        const owner = new Recorder();
        transport.connect(nowhere.host, nowhere.port, owner);
        assert.deepEqual(owner.events, []);
        await until(() => owner.events.length > 0);
        assert.deepEqual(owner.events, ['connected: ECONNREFUSED']);
      }),
    );

    it(
      'tells nothing of a connect that was given up',
      withWire(async ({ transport, backend, nowhere, rest }) => {
        const owner = new Recorder();
        transport.connect(backend.host, backend.port, owner).close();
        transport.connect(backend.host, backend.port, owner).reset();
        transport.connect(nowhere.host, nowhere.port, owner).close();
        await rest();
        assert.deepEqual(owner.events, []);
      }),
    );

    it(
      'is handed to the listener for each client, with both names',
      withWire(async ({ transport, client, until }) => {
        const streams: Stream[] = [];
        const listener = transport.listen({ host: '127.0.0.1', port: 0 }, (stream) => streams.push(stream));
        client(listener.address.port);
        await until(() => streams.length > 0);
        assert.equal(streams[0]!.localPort, listener.address.port);
        assert.notEqual(streams[0]!.remotePort, 0);
        assert.notEqual(streams[0]!.remoteAddress, '');
        streams[0]!.close();
        listener.close();
      }),
    );

    it(
      'leaves bytes that were not used up as they are, and reads no more until it is resumed',
      withWire(async (wire) => {
        const { owner, stream, peer } = await connected(wire);
        owner.usesUp = false;
        peer.send('0123456789');
        await wire.until(() => owner.lent !== null);
        peer.send('more');
        await wire.rest();
        const { bytes, length, were } = owner.lent!;
        assert.deepEqual(Buffer.from(bytes.subarray(0, length)), were);
        assert.deepEqual(owner.bytes, were);
        owner.usesUp = true;
        stream.resume();
        await wire.until(() => owner.bytes.length === 14);
        assert.equal(owner.bytes.toString(), '0123456789more');
        stream.close();
      }),
    );

    it(
      'takes what a reader takes, and says so',
      withWire(async (wire) => {
        const { stream, peer } = await connected(wire);
        assert.equal(stream.write(Buffer.from('whole, but not all'), 5), true);
        await wire.until(() => peer.bytes().length > 0);
        assert.equal(peer.bytes().toString(), 'whole');
        stream.close();
      }),
    );

    it(
      'has a writer wait for a peer that does not read, and says when it is done',
      withWire(async (wire) => {
        const { owner, stream, peer } = await connected(wire);
        peer.stopReading();
        assert.equal(stream.write(flood, flood.length), false);
        await wire.rest();
        assert.deepEqual(owner.events, []);
        peer.startReading();
        await wire.until(() => peer.bytes().length === flood.length);
        await wire.until(() => owner.events.length > 0);
        assert.deepEqual(owner.events, ['written']);
        assert.ok(peer.bytes().equals(flood));
        stream.close();
      }),
    );

    it(
      'tells of the FIN of the peer, behind its bytes, and can still write',
      withWire(async (wire) => {
        const { owner, stream, peer } = await connected(wire);
        peer.send('last words');
        peer.finish();
        await wire.until(() => owner.events.length > 0);
        assert.deepEqual(owner.events, ['end']);
        assert.equal(owner.bytes.toString(), 'last words');
        stream.write(Buffer.from('answer'), 6);
        await wire.until(() => peer.bytes().length === 6);
        assert.equal(peer.gotFin(), false);
        stream.close();
        await wire.until(() => peer.gotFin());
      }),
    );

    it(
      'sends a FIN behind what was written, and can still read',
      withWire(async (wire) => {
        const { owner, stream, peer } = await connected(wire);
        stream.write(Buffer.from('last words'), 10);
        stream.finish();
        await wire.until(() => peer.gotFin());
        assert.equal(peer.bytes().toString(), 'last words');
        peer.send('answer');
        await wire.until(() => owner.bytes.length === 6);
        stream.close();
      }),
    );

    it(
      'tells of a RST',
      withWire(async (wire) => {
        const { owner, peer } = await connected(wire);
        peer.reset();
        await wire.until(() => owner.events.length > 0);
        assert.deepEqual(owner.events, ['failure: ECONNRESET']);
      }),
    );

    it(
      'sends a RST',
      withWire(async (wire) => {
        const { stream, peer } = await connected(wire);
        stream.reset();
        await wire.until(() => peer.gotReset());
        assert.equal(peer.gotFin(), false);
      }),
    );

    it(
      'sends a RST after it has sent a FIN',
      withWire(async (wire) => {
        const { stream, peer } = await connected(wire);
        stream.finish();
        await wire.until(() => peer.gotFin());
        stream.reset();
        await wire.rest();
        // The first thing that it tries must fail: had only a FIN come, the second would.
        peer.send('too late');
        await wire.until(() => peer.gotReset());
      }),
    );

    it(
      'sends a RST when it is closed with bytes unread',
      withWire(async (wire) => {
        const { owner, stream, peer } = await connected(wire);
        owner.usesUp = false;
        peer.send('read');
        await wire.until(() => owner.lent !== null);
        peer.send('unread');
        await wire.rest();
        stream.close();
        await wire.until(() => peer.gotReset());
      }),
    );

    for (const end of ['close', 'reset'] as const) {
      it(
        `is silent after ${end}`,
        withWire(async (wire) => {
          const { owner, stream, peer } = await connected(wire);
          peer.send('unread');
          stream[end]();
          await wire.rest();
          peer.finish();
          await wire.rest();
          assert.deepEqual(owner.events, []);
          assert.equal(owner.bytes.length, 0);
        }),
      );
    }
  });
}
