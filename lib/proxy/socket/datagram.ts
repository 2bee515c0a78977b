/** How UDP datagrams move: what the proxy knows of sockets that carry them. */
import type { HostPort } from '../../model/spec.ts';

/**
 * A socket that was opened by `bind` or `connect`. The bytes of a datagram are free to change once a send
 * has returned. After `close` it makes no more calls.
 */
export interface DatagramSocket {
  readonly address: HostPort;
  /** Sends to the connected peer. Null once sent, or a code: `ECONNREFUSED` of an earlier datagram, … */
  send(bytes: Uint8Array): string | null;
  /** Sends from a bound socket to anyone, with the same answer. */
  sendTo(bytes: Uint8Array, address: string, port: number): string | null;
  close(): void;
}

export interface DatagramOwner {
  /** `bytes` are the receiver's to keep. */
  onDatagram(bytes: Uint8Array, address: string, port: number): void;
  /** An ICMP error came back for something sent earlier (`ECONNREFUSED`, `EHOSTUNREACH`, …). */
  onFailure(code: string): void;
}

export interface UdpTransport {
  /** Receives at a literal address; an empty host is every address. Throws a SluiceError. */
  bind(at: HostPort, owner: DatagramOwner): DatagramSocket;
  /** A socket that hears one peer only; the code of the failure if there is none to be had. */
  connect(address: string, port: number, owner: DatagramOwner): DatagramSocket | string;
}

/** What `send` says when too much waits to be sent already. */
export const sendQueueFull = 'ENOBUFS';
