/** A flow tracker over a small address book, and packets to feed it, for the tests of connection tracking. */
import assert from 'node:assert/strict';
import type { AddressBook } from '../../lib/conntrack/address-book.ts';
import { type FlowTableShape, flowBufferBytes } from '../../lib/conntrack/flow-rows.ts';
import { PortPool } from '../../lib/conntrack/port-pool.ts';
import { defaultFlowTimeouts, type FlowStateName, flowStateNames } from '../../lib/conntrack/states.ts';
import { FlowTracker, type TrackerOptions } from '../../lib/conntrack/tracker.ts';
import { writeAddress } from '../../lib/packet/address.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { type Craft, craft } from '../packet/craft.ts';

/** VIP 1 is TCP, 2 UDP, 3 TCP on another port; endpoints and SNAT addresses are 1 and 2. */
export const book: AddressBook = {
  vipWords: columns('0.0.0.0', '1.2.3.4', '1.2.3.4', '1.2.3.4'),
  vipPort: Uint16Array.of(0, 80, 53, 81),
  vipProtocol: Uint8Array.of(0, 6, 17, 6),
  endpointWords: columns('0.0.0.0', '10.0.0.2', '10.0.0.3'),
  endpointPort: Uint16Array.of(0, 9000, 9000),
  snatWords: columns('0.0.0.0', '10.0.0.1', '10.0.0.9'),
};

function columns(...addresses: string[]): Int32Array {
  const words = new Int32Array(addresses.length * 4);
  for (const [index, address] of addresses.entries()) assert.ok(writeAddress(address, words, index * 4));
  return words;
}

export const shape: FlowTableShape = { capacity: 64, vips: 4, endpoints: 4 };

export interface Flows {
  readonly tracker: FlowTracker;
  readonly buffer: SharedArrayBuffer;
}

export function makePorts(ports = 100): PortPool {
  return new PortPool({ firstPort: 2000, lastPort: 1999 + ports, endpoints: 4, addresses: 4, banks: 8 });
}

export const options: TrackerOptions = {
  shape,
  key: { low: 3, high: 5 },
  timeouts: defaultFlowTimeouts,
  halfOpenQuota: 32,
  halfOpenGraceMs: 1_000,
};

export function makeFlows(changes: Partial<TrackerOptions> = {}, ports = makePorts(), nowMs = 0): Flows {
  const all = { ...options, ...changes };
  const buffer = new SharedArrayBuffer(flowBufferBytes(all.shape));
  return { tracker: new FlowTracker(buffer, all, book, ports, nowMs), buffer };
}

/** The same where only the client's half is seen. */
export function makePartialFlows(changes: Partial<TrackerOptions> = {}): Flows {
  const all = { ...options, ...changes };
  const buffer = new SharedArrayBuffer(flowBufferBytes(all.shape));
  return { tracker: new FlowTracker(buffer, all, book, undefined, 0), buffer };
}

export interface Parsed {
  readonly packet: Packet;
  readonly view: DataView;
}

export function parsed(what: Craft): Parsed {
  const bytes = craft(what);
  const view = new DataView(bytes.buffer);
  const packet = new Packet();
  assert.equal(parsePacket(packet, view, 0, bytes.length), 0);
  return { packet, view };
}

/** A packet from a client, whose number stands in its address and port, to a VIP of the book. */
export function fromClient(client: number, vip: number, what: Partial<Craft> = {}): Parsed {
  return parsed({
    source: `198.51.100.${client & 255}`,
    sourcePort: 40_000 + client,
    destination: '1.2.3.4',
    destinationPort: book.vipPort[vip]!,
    protocol: book.vipProtocol[vip] === 6 ? 'tcp' : 'udp',
    flags: 'S',
    ...what,
  });
}

export function find({ tracker }: Flows, { packet }: Parsed): number {
  return tracker.find(packet, tracker.hashOf(packet));
}

export function open(
  { tracker }: Flows,
  { packet, view }: Parsed,
  vip: number,
  endpoint = 1,
  snats: readonly number[] = [1],
  former = 0,
): number {
  return tracker.open(packet, view, vip, endpoint, Uint8Array.from(snats), former);
}

export function stateOf({ tracker }: Flows, flow: number): FlowStateName {
  return flowStateNames[tracker.rows.stateOf(flow)]!;
}

/** The backend's packet in a flow. */
export function fromBackend({ tracker }: Flows, flow: number, what: Partial<Craft> = {}): Parsed {
  const { rows } = tracker;
  const words = rows.words;
  const client = words[flow * 16 + 3]!;
  const snats = [`198.51.100.${client & 255}`, '10.0.0.1', '10.0.0.9'];
  return parsed({
    source: ['', '10.0.0.2', '10.0.0.3'][rows.endpointOf(flow)]!,
    sourcePort: 9000,
    destination: snats[rows.snatOf(flow)]!,
    destinationPort: rows.snatPortOf(flow),
    protocol: book.vipProtocol[rows.vipOf(flow)] === 6 ? 'tcp' : 'udp',
    ...what,
  });
}
