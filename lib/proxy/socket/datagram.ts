/**
 * How UDP datagrams move: what the proxy knows of sockets that carry them.
 *
 *   client ──┐                                                         ┌── connected socket ──▶ backend
 *   client ──┼──▶ bound socket ── a client that was accepted ── owner ──┤
 *   stranger ┘                                                         └── …
 *
 * Bytes are lent and never kept: a datagram is passed on before the call returns in which it came.
 */
import type { HostPort } from '../../model/spec.ts';

/** A datagram on its way: `length` bytes at `offset`. One object may serve for all, so it is good during the call only. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** A socket that receives what anyone sends. After `close` it makes no more calls, and its clients send nothing. */
export interface BoundSocket {
  /** The one that it was given where none was asked for. */
  readonly port: number;
  /** Takes the stranger on whose datagram is being told of: from the next one on, `owner` hears of what it sends. */
  accept(owner: ClientOwner): UdpClient;
  close(): void;
}

export interface BoundSocketOwner {
  /** A datagram of somebody who was not accepted, or not yet. */
  onStranger(datagram: Datagram): void;
  /** An answer was not sent to its client: `sendQueueFull`, `EMSGSIZE`, … */
  onUnsent(code: string): void;
  onFailure(code: string): void;
}

/** Somebody whom a bound socket has accepted, until `close`. */
export interface UdpClient {
  /** In its canonical form; IPv4 is dotted, whatever the socket's family. */
  readonly address: string;
  readonly port: number;
  /** Sends to it, from the address that it has written to. The bound socket's owner hears of failures. */
  send(datagram: Datagram): void;
  close(): void;
}

export interface ClientOwner {
  onClientDatagram(datagram: Datagram): void;
}

/** A socket that hears one peer only. After `close` it makes no more calls. */
export interface ConnectedSocket {
  /** Null once sent, or a code: `sendQueueFull`, `ECONNREFUSED` of an earlier datagram, … */
  send(datagram: Datagram): string | null;
  close(): void;
}

export interface PeerOwner {
  onPeerDatagram(datagram: Datagram): void;
  /** An ICMP error came back for something sent earlier (`ECONNREFUSED`, `EHOSTUNREACH`, …). */
  onPeerFailure(code: string): void;
}

export interface UdpTransport {
  /** Receives at a literal address; an empty host is every address. Throws a SluiceError. */
  bind(at: HostPort, owner: BoundSocketOwner): BoundSocket;
  /** The code of the failure if there is no socket to be had. */
  connect(address: string, port: number, owner: PeerOwner): ConnectedSocket | string;
}

/** What a code says when too much waits to be sent already. */
export const sendQueueFull = 'ENOBUFS';

/** A burst waits in a bound socket while JavaScript is busy elsewhere; the kernel may cut it to net.core.rmem_max. */
export const receiveBufferBytes = 4 * 1024 * 1024;
