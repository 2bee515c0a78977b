/** Listening and connecting on Node's TCP handles. */
import { ipFamily } from '../../model/ip.ts';
import type { HostPort } from '../../model/spec.ts';
import { bindError } from './bind-error.ts';
import { bindHandle } from './node-bind.ts';
import {
  type AddressOut,
  type ConnectRequest,
  errorName,
  nodeHandles,
  type TcpHandle,
} from './node-handles.ts';
import { NodeStream } from './node-stream.ts';
import type { ConnectionOwner, Listener, Stream, TcpTransport } from './stream.ts';

const { TCP, TCPConnectWrap, constants } = nodeHandles().tcp;

/** The kernel cuts it to net.core.somaxconn. */
const backlog = 65_535;

export const nodeTcp: TcpTransport = { listen, connect };

function listen(at: HostPort, onStream: (stream: Stream) => void): Listener {
  const handle = new TCP(constants.SERVER);
  // Accepted connections inherit TCP_NODELAY from the listening socket, which saves a system call for each.
  const errno =
    bindHandle(handle, at, constants.UV_TCP_IPV6ONLY) || handle.setNoDelay(true) || handle.listen(backlog);
  if (errno !== 0) {
    handle.close();
    throw bindError('tcp', at, errorName(errno));
  }
  handle.onconnection = (error, client) => {
    // An error here is the loss of one client that had already gone, or of a descriptor to take it with.
    if (error === 0) onStream(new NodeStream(client));
  };
  const bound: AddressOut = {};
  handle.getsockname(bound);
  let isOpen = true;
  const close = (): void => {
    if (isOpen) handle.close();
    isOpen = false;
  };
  return { address: { host: at.host, port: bound.port ?? at.port }, refuse: close, close };
}

interface PendingConnect extends ConnectRequest {
  stream: NodeStream;
  owner: ConnectionOwner;
}

function connect(address: string, port: number, owner: ConnectionOwner): Stream {
  const handle = new TCP(constants.SOCKET);
  const stream = new NodeStream(handle);
  const request = new TCPConnectWrap() as PendingConnect;
  request.stream = stream;
  request.owner = owner;
  request.oncomplete = onConnectComplete;
  handle.setNoDelay(true);
  const errno =
    ipFamily(address) === 6
      ? handle.connect6(request, address, port)
      : handle.connect(request, address, port);
  if (errno !== 0) setImmediate(onConnectComplete, errno, handle, request);
  return stream;
}

function onConnectComplete(status: number, _handle: TcpHandle, request: ConnectRequest): void {
  const { stream, owner } = request as PendingConnect;
  if (!stream.closed) owner.onConnected(stream, status === 0 ? null : errorName(status));
}
