/**
 * The layer of Node that `node:net` and `node:dgram` are built on, with types. A relay needs neither event
 * emitters nor stream buffers, and without them a connection costs half the CPU, a keep-alive request two
 * thirds (`npm run bench -- proxy`). The shapes below have not changed between Node 12 and 24; only the files
 * `node-*.ts` of this folder know them, and where they are missing `nodeHandles()` says so at the start.
 */
import { getSystemErrorName } from 'node:util';
import { ExitCode, SluiceError } from '../../model/errors.ts';

/** Methods return 0 or a negative errno, as libuv does. */
export interface TcpHandle {
  onread: (this: TcpHandle) => Uint8Array | undefined;
  onconnection: (error: number, client: TcpHandle) => void;
  /** Ours: the stream that this handle belongs to, for callbacks that know the handle alone. */
  stream?: unknown;
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  listen(backlog: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  getsockname(into: AddressOut): number;
  getpeername(into: AddressOut): number;
  /** −1 while there is no socket. */
  readonly fd: number;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, idleSeconds: number): number;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  shutdown(request: ShutdownRequest): number;
  reset(done?: () => void): number;
  close(done?: () => void): void;
}

export interface UdpHandle {
  onmessage: (length: number, handle: UdpHandle, bytes: Uint8Array, from: AddressOut) => void;
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(address: string, port: number): number;
  connect6(address: string, port: number): number;
  getsockname(into: AddressOut): number;
  recvStart(): number;
  /** Connected: more than 0 once sent, 0 when queued. */
  send(request: WriteRequest, list: Uint8Array[], count: number, tell: boolean): number;
  send(
    request: WriteRequest,
    list: Uint8Array[],
    count: number,
    port: number,
    address: string,
    tell: boolean,
  ): number;
  send6(
    request: WriteRequest,
    list: Uint8Array[],
    count: number,
    port: number,
    address: string,
    tell: boolean,
  ): number;
  bufferSize(bytes: number, receive: boolean, failure: object): number;
  close(done?: () => void): void;
}

export interface AddressOut {
  address?: string;
  family?: string;
  port?: number;
}

export interface ConnectRequest {
  oncomplete: (status: number, handle: TcpHandle, request: ConnectRequest) => void;
}

export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void;
  /** Ours: whose write this is, and the bytes, which must outlive it. */
  stream?: unknown;
  bytes?: Uint8Array | undefined;
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void;
  stream?: unknown;
}

interface TcpBinding {
  TCP: new (type: number) => TcpHandle;
  TCPConnectWrap: new () => ConnectRequest;
  constants: { SOCKET: number; SERVER: number; UV_TCP_IPV6ONLY: number };
}

interface StreamBinding {
  WriteWrap: new () => WriteRequest;
  ShutdownWrap: new () => ShutdownRequest;
  streamBaseState: Int32Array;
  kReadBytesOrError: number;
  kLastWriteWasAsync: number;
}

interface UdpBinding {
  UDP: new () => UdpHandle;
  SendWrap: new () => WriteRequest;
  constants: { UV_UDP_IPV6ONLY: number };
}

export interface NodeHandles {
  readonly tcp: TcpBinding;
  readonly stream: StreamBinding;
  readonly udp: UdpBinding;
}

let found: NodeHandles | undefined;

/** The handles of this Node; throws ERR_SLUICE_NODE_HANDLES where a version has hidden or changed them. */
export function nodeHandles(): NodeHandles {
  found ??= find();
  return found;
}

function find(): NodeHandles {
  try {
    const { binding } = process as unknown as { binding(name: string): unknown };
    const handles = {
      tcp: binding('tcp_wrap') as TcpBinding,
      stream: binding('stream_wrap') as StreamBinding,
      udp: binding('udp_wrap') as UdpBinding,
    };
    const { tcp, stream, udp } = handles;
    const present = [
      tcp.TCP,
      tcp.TCPConnectWrap,
      stream.WriteWrap,
      stream.streamBaseState,
      udp.UDP,
      udp.SendWrap,
    ];
    if (present.every((part) => part !== undefined)) return handles;
    throw new Error('a part is missing');
  } catch (cause) {
    throw new SluiceError(
      'ERR_SLUICE_NODE_HANDLES',
      `Node ${process.version} does not offer the socket handles that the proxy is built on`,
      { exitCode: ExitCode.missing, remedy: 'use Node 20, 22 or 24, without --permission', cause },
    );
  }
}

/** `-111` → `ECONNREFUSED`. */
export function errorName(errno: number): string {
  return getSystemErrorName(errno);
}

/** What libuv reports at the end of a stream (UV_EOF). */
export const endOfFile = -4095;
