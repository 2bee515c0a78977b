/** A TCP connection on one of Node's handles. */
import {
  type AddressOut,
  endOfFile,
  errorName,
  nodeHandles,
  type ShutdownRequest,
  type TcpHandle,
  type WriteRequest,
} from './node-handles.ts';
import { largerReadBuffer, returnReadBuffer, takeReadBuffer } from './read-buffers.ts';
import type { Stream, StreamOwner } from './stream.ts';

const { stream: binding } = nodeHandles();
const { streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding;

/**
 * The request of the next write that the kernel does not take at once. Writes that it takes at once, nearly
 * all of them, leave the request untouched, so that one serves for every stream.
 */
let nextWrite: WriteRequest = new binding.WriteWrap();

export class NodeStream implements Stream {
  readonly #handle: TcpHandle;
  #owner: StreamOwner | null = null;
  #remote: AddressOut | undefined;
  #local: AddressOut | undefined;
  #buffer: Uint8Array | null = null;
  /** Somebody else still reads from `#buffer`. */
  #lent = false;
  /** A FIN has been asked for and is not out yet. */
  #finishing = false;
  #closed = false;

  constructor(handle: TcpHandle) {
    this.#handle = handle;
    handle.stream = this;
    handle.onread = onRead;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get remoteAddress(): string {
    return this.#remoteName().address ?? '';
  }

  get remotePort(): number {
    return this.#remoteName().port ?? 0;
  }

  get localAddress(): string {
    return this.#localName().address ?? '';
  }

  get localPort(): number {
    return this.#localName().port ?? 0;
  }

  start(owner: StreamOwner): void {
    if (this.#closed) return;
    this.#owner = owner;
    this.#buffer = takeReadBuffer();
    this.#handle.useUserBuffer(this.#buffer);
    this.#handle.readStart();
  }

  resume(): void {
    this.#lent = false;
    if (!this.#closed) this.#handle.readStart();
  }

  write(bytes: Uint8Array, length: number): boolean {
    if (this.#closed) return false;
    const part = length === bytes.length ? bytes : bytes.subarray(0, length);
    const error = this.#handle.writeBuffer(nextWrite, part);
    if (error !== 0) {
      this.#fail(error);
      return false;
    }
    if (streamBaseState[kLastWriteWasAsync] === 0) return true;
    const request = nextWrite;
    nextWrite = new binding.WriteWrap();
    request.stream = this;
    request.bytes = bytes;
    request.oncomplete = onWriteComplete;
    return false;
  }

  finish(): void {
    if (this.#closed) return;
    const request = new binding.ShutdownWrap();
    request.stream = this;
    request.oncomplete = onFinished;
    const error = this.#handle.shutdown(request);
    if (error === 0) this.#finishing = true;
    else this.#fail(error);
  }

  close(): void {
    if (this.#closed) return;
    this.#release();
    this.#handle.close();
  }

  reset(): void {
    if (this.#closed) return;
    // Node never closes a handle whose reset fails: not while a FIN is on its way, not without a socket.
    if (this.#finishing || this.#handle.fd < 0) {
      this.close();
      return;
    }
    this.#release();
    this.#handle.reset();
  }

  keepAlive(idleSeconds: number): void {
    if (!this.#closed) this.#handle.setKeepAlive(true, idleSeconds);
  }

  /** Called by the handle. Returns the buffer for the next read when it is another one. */
  read(): Uint8Array | undefined {
    const length = streamBaseState[kReadBytesOrError]!;
    if (this.#closed || length === 0) return undefined;
    const buffer = this.#buffer!;
    if (length < 0) {
      if (length === endOfFile) this.#owner!.onEnd(this);
      else this.#fail(length);
      return undefined;
    }
    const used = this.#owner!.onData(this, buffer, length);
    if (this.#closed) return undefined;
    if (!used) {
      this.#lent = true;
      this.#handle.readStop();
    }
    if (length < buffer.length) return undefined;
    // A lent buffer stays with whoever has it; the next read goes to the larger one all the same.
    const larger = largerReadBuffer(buffer);
    if (larger === buffer) return undefined;
    if (used) returnReadBuffer(buffer);
    this.#lent = false;
    this.#buffer = larger;
    return larger;
  }

  /** Called by the request of a write that took longer. */
  written(status: number): void {
    if (this.#closed) return;
    if (status === 0) this.#owner?.onWritten(this);
    else this.#fail(status);
  }

  /** Called by the request of a FIN. */
  finished(): void {
    this.#finishing = false;
  }

  #fail(errno: number): void {
    this.#owner?.onFailure(this, errorName(errno));
  }

  #release(): void {
    this.#closed = true;
    if (this.#buffer !== null && !this.#lent) returnReadBuffer(this.#buffer);
    this.#buffer = null;
  }

  // Asked once: they do not change, and a flow that waits is placed again and again.
  #remoteName(): AddressOut {
    if (this.#remote === undefined) {
      this.#remote = {};
      if (!this.#closed) this.#handle.getpeername(this.#remote);
    }
    return this.#remote;
  }

  #localName(): AddressOut {
    if (this.#local === undefined) {
      this.#local = {};
      if (!this.#closed) this.#handle.getsockname(this.#local);
    }
    return this.#local;
  }
}

function onRead(this: TcpHandle): Uint8Array | undefined {
  return (this.stream as NodeStream).read();
}

function onFinished(this: ShutdownRequest): void {
  (this.stream as NodeStream).finished();
}

function onWriteComplete(this: WriteRequest, status: number): void {
  this.bytes = undefined;
  (this.stream as NodeStream).written(status);
}
