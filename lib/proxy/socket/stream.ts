/**
 * How bytes of TCP connections move: the only thing the proxy knows of sockets. The product moves them with
 * Node's TCP handles (`node-stream.ts`), tests with a network in memory; a native relay can take their place.
 *
 * A stream reads into a buffer of its own and lends it out: the bytes given to `onData` stay as they are
 * until that call returns true, or, if it returned false, until `resume()`. A relay therefore writes straight
 * from the read buffer, and a reader whose writer is full simply stops: no byte is copied, none is queued.
 *
 *     client ── read ──▶ buffer ── write ──▶ backend
 *                          │ not all taken: no more reads,
 *                          └ the kernel's window closes, the client waits
 */
import type { HostPort } from '../../model/spec.ts';

/** One end of a TCP connection. After `close` or `reset` it makes no more calls and ignores those made to it. */
export interface Stream {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Begins to read; events go to `owner` from here on. */
  start(owner: StreamOwner): void;
  /** Takes up reading after `onData` returned false. */
  resume(): void;
  /**
   * Sends the first `length` of `bytes`. True: the kernel has them all. False: `onWritten` will say when, and
   * until then `bytes` must not change and nothing else may be written, or `onFailure` was called.
   */
  write(bytes: Uint8Array, length: number): boolean;
  /** Sends a FIN behind what was written; reading goes on. */
  finish(): void;
  /** Ends both directions: FIN, or RST if unread bytes are waiting. */
  close(): void;
  /** Ends both directions with a RST. */
  reset(): void;
  /** Has the kernel ask a silent peer whether it is still there. */
  keepAlive(idleSeconds: number): void;
}

/** Who hears of what happens on a stream. A stream passes itself, so that one owner can have two. */
export interface StreamOwner {
  /** True if the bytes were used up; false to keep them and stop reading until `resume()`. */
  onData(from: Stream, bytes: Uint8Array, length: number): boolean;
  /** The write that returned false is done. */
  onWritten(to: Stream): void;
  /** The peer has sent its FIN. */
  onEnd(from: Stream): void;
  /** The connection is gone: `ECONNRESET`, `EPIPE`, `ETIMEDOUT`, … The owner still has to close the stream. */
  onFailure(from: Stream, code: string): void;
}

/** Who opens a connection. */
export interface ConnectionOwner extends StreamOwner {
  /** `failure` is null, or a code (`ECONNREFUSED`, …), after which the stream must be closed. */
  onConnected(stream: Stream, failure: string | null): void;
}

/** A place where clients arrive, TCP or UDP. */
export interface Listener {
  /** With the port that was chosen, where 0 was asked for. */
  readonly address: HostPort;
  /** Takes no new clients; those it has go on. */
  refuse(): void;
  /** Gives the address up at once. TCP connections go on; UDP sessions, which answer from here, end. */
  close(): void;
}

export interface TcpTransport {
  /** Accepts connections at a literal address; an empty host is every address. Throws a SluiceError. */
  listen(at: HostPort, onStream: (stream: Stream) => void): Listener;
  /** Connects to a literal address. The owner hears of the outcome later, never from within this call. */
  connect(address: string, port: number, owner: ConnectionOwner): Stream;
}
