/**
 * Proof that tunnels end here: a packet that goes through one, as the balancer would have sent it, and comes out at the
 * VIP. It is sent by this machine to itself, so it meets every rule, device and queue on its way, and no network.
 *
 *   raw socket ─▶ OUTPUT ─▶ lo ─▶ PREROUTING, device or queue ─▶ INPUT ─▶ UDP socket at the VIP
 *        │ outer: from the balancer, to this machine │ inner: to the VIP │ UDP │ a secret │
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { RawSocket } from 'node-linux-sockets';
import { familyOf } from '../datapath/kernel/description.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import { formatAddress, writeAddress } from '../packet/address.ts';
import { writeDatagram } from '../packet/datagram.ts';
import { Encapsulation, headroom, OuterHeader } from '../packet/encapsulate.ts';

/** One packet, and what became of it. */
export interface Trial {
  readonly vip: string;
  /** Of those that tunnels may come from, as it was asked for. */
  readonly from: string;
  readonly arrived: boolean;
  /** Why it could not be sent, if so. */
  readonly error?: string;
}

const attempts = 3;
const patienceMs = 300;
/** Whoever gets an answer to that has asked for it: RFC 863. */
const sourcePort = 9;

/** Addresses of documentation (RFC 5737, RFC 3849), for a client of another family than the balancer. */
const clients = { 4: '198.51.100.1', 6: '2001:db8::1' } as const;

/** A packet for every VIP, from each source that tunnels may come from; none for `l2`. */
export async function tryTunnels(spec: TunnelEndSpec): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  for (const from of spec.from) {
    for (const vip of spec.vips) trials.push(await tryTunnel(spec, from, vip));
  }
  return trials;
}

async function tryTunnel({ encapsulation, vips }: TunnelEndSpec, from: string, vip: string): Promise<Trial> {
  const outerFamily = familyOf(from);
  const innerFamily = familyOf(vip);
  const source = memberOf(from);
  let socket: RawSocket | undefined;
  let listener: Socket | undefined;
  try {
    const here = ownAddress(outerFamily, vips);
    if (here === undefined)
      throw new Error(`this machine has no IPv${outerFamily} address that tunnels could lead to`);
    listener = createSocket(innerFamily === 4 ? 'udp4' : 'udp6').bind({
      address: vip,
      port: 0,
      exclusive: true,
    });
    await once(listener, 'listening');
    const secret = randomBytes(16);
    const client = innerFamily === outerFamily ? source : clients[innerFamily];
    const words = wordsOf(client, vip);
    const datagram = { words, sourcePort, destinationPort: listener.address().port, payload: secret };
    const bytes = new Uint8Array(256);
    const view = new DataView(bytes.buffer);
    const length = writeDatagram(view, headroom, datagram);
    const outer = new OuterHeader(0);
    outer.encapsulation = Encapsulation[encapsulation];
    const ends = wordsOf(source, here);
    outer.lead(outerFamily, ends, 0, ends, 4);
    const start = outer.write(view, headroom, length);
    socket = new RawSocket(outerFamily);
    let arrived = false;
    listener.on('message', (message) => {
      arrived ||= message.equals(secret);
    });
    const [offsets, lengths] = [Uint32Array.of(start), Uint32Array.of(headroom + length - start)];
    for (let attempt = 0; attempt < attempts && !arrived; attempt++) {
      socket.send(bytes, offsets, lengths, 1);
      await Promise.race([once(listener, 'message'), delay(patienceMs)]);
    }
    return { vip, from, arrived };
  } catch (error) {
    return { vip, from, arrived: false, error: error instanceof Error ? error.message : String(error) };
  } finally {
    socket?.close();
    listener?.close();
  }
}

/** An address of this machine that a balancer may send to, whatever the way there. */
function ownAddress(family: 4 | 6, vips: readonly string[]): string | undefined {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    // Devices of our own have one that is nobody's.
    name.startsWith('sluice-') ? [] : addresses,
  );
  return all.find(
    ({ internal, address, scopeid }) =>
      !internal && familyOf(address) === family && !scopeid && !vips.includes(address),
  )?.address;
}

/** An address of a network: itself, or the first that a host may have. */
function memberOf(network: string): string {
  const [address = '', bits] = network.split('/');
  if (bits === undefined) return address;
  const words = new Int32Array(4);
  writeAddress(address, words, 0);
  words[3]! |= 1;
  return formatAddress(words, 0);
}

function wordsOf(source: string, destination: string): Int32Array {
  const words = new Int32Array(8);
  writeAddress(source, words, 0);
  writeAddress(destination, words, 4);
  return words;
}
