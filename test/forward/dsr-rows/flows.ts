/** Packets that begin flows, belong to them, or belong to flows that nobody remembers. */
import { dsrSpec } from '../dsr-balancer.ts';
import { accept, ack, choose, drop, fromClient, type Row } from './row.ts';

const full = { shape: { capacity: 2, vips: 8, endpoints: 8 } };

export const flows: readonly Row[] = [
  { name: 'a SYN opens a flow', packet: (family) => fromClient(family), to: 'first' },
  {
    name: 'a datagram opens a flow',
    packet: (family) => fromClient(family, { protocol: 'udp', payload: 'query' }),
    to: 'first',
  },
  {
    name: 'options, extension headers and odd lengths go along',
    packet: (family) =>
      fromClient(family, {
        payload: 'odd',
        ipOptions: [7, 7, 4, 0, 0, 0, 0, 0],
        extensions: [[60, [1, 4, 0, 0, 0, 0]]],
        tcpOptions: [2, 4, 5, 0xb4],
      }),
    to: 'first',
  },
  {
    name: 'a datagram without checksum goes along',
    packet: (family) => fromClient(family, { protocol: 'udp', noUdpChecksum: family.version === 4 }),
    to: 'first',
  },
  {
    name: 'a wrong checksum stays wrong',
    packet: (family) => {
      const packet = fromClient(family, { payload: 'x' });
      packet[packet.length - 1]! ^= 1;
      return packet;
    },
    to: 'first',
  },
  {
    name: 'a known flow stays where it is, whatever the policy and the hash say by now',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family, { ...ack, payload: 'GET /' }),
    to: 'first',
  },
  {
    name: 'so does a stream of datagrams',
    before: (family) => [fromClient(family, { protocol: 'udp' })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family, { protocol: 'udp' }),
    to: 'first',
  },
  {
    name: 'so it does when nobody takes new flows (draining)',
    before: (family) => [fromClient(family)],
    meanwhile: (balancer, outside) => choose(balancer, outside, undefined),
    packet: (family) => fromClient(family, ack),
    to: 'first',
  },
  {
    name: 'a SYN again stays too',
    before: (family) => [fromClient(family)],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family),
    to: 'first',
  },
  {
    name: 'a SYN after a FIN is placed anew, at once',
    before: (family) => [fromClient(family), fromClient(family, { ...ack, flags: 'FA' })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other', 'first'),
    packet: (family) => fromClient(family, { sequence: 9_000 }),
    to: 'other',
  },
  {
    name: 'a SYN after a RST likewise',
    before: (family) => [fromClient(family), fromClient(family, { flags: 'R', sequence: 101 })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other', 'first'),
    packet: (family) => fromClient(family, { sequence: 9_000 }),
    to: 'other',
  },
  {
    name: 'what comes after a FIN goes where that went',
    before: (family) => [fromClient(family), fromClient(family, { ...ack, flags: 'FA' })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family, ack),
    to: 'first',
  },
  {
    name: 'mid-flow without an entry is placed by hash',
    place: 'other',
    packet: (family) => fromClient(family, ack),
    to: 'other',
  },
  {
    name: 'and remembered',
    before: (family) => [fromClient(family, ack)],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family, ack),
    to: 'first',
  },
  {
    name: 'a RST without an entry is placed by hash',
    place: 'other',
    packet: (family) => fromClient(family, { flags: 'R' }),
    to: 'other',
  },
  {
    name: 'and not remembered',
    before: (family) => [fromClient(family, { flags: 'R' })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family, ack),
    to: 'other',
  },
  {
    name: 'too many new flows: by hash',
    options: { newFlows: 1 },
    place: 'other',
    before: (family) => [fromClient(family)],
    packet: (family) => fromClient(family, { sourcePort: 40_001 }),
    to: 'other',
  },
  {
    name: 'too many new flows: not remembered',
    options: { newFlows: 1 },
    before: (family) => [fromClient(family), fromClient(family, { sourcePort: 40_001 })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family, { ...ack, sourcePort: 40_001 }),
    to: 'other',
  },
  {
    name: 'too many new flows: those that are known go on',
    options: { newFlows: 1 },
    before: (family) => [fromClient(family), fromClient(family, { sourcePort: 40_001 })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => fromClient(family, ack),
    to: 'first',
  },
  {
    name: 'too many half-open flows: by hash',
    options: { halfOpenQuota: 1 },
    place: 'other',
    before: (family) => [fromClient(family)],
    packet: (family) => fromClient(family, { sourcePort: 40_001 }),
    to: 'other',
  },
  {
    name: 'the table is full: by hash',
    options: full,
    place: 'other',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    packet: (family) => fromClient(family, { sourcePort: 40_001 }),
    to: 'other',
  },
  {
    name: 'the table is full: datagrams too',
    options: full,
    place: 'other',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    packet: (family) => fromClient(family, { protocol: 'udp' }),
    to: 'other',
  },
  {
    name: 'another port is none of ours',
    packet: (family) => fromClient(family, { destinationPort: 81 }),
    reason: 'not-ours',
    verdict: accept,
  },
  {
    name: 'another address is none of ours',
    packet: (family) => fromClient(family, { destination: family.snat }),
    reason: 'not-ours',
    verdict: accept,
  },
  {
    name: 'another protocol is none of ours',
    packet: (family) => fromClient(family, { protocol: 'other', payload: 'x'.repeat(20) }),
    reason: 'not-ours',
    verdict: accept,
  },
  {
    name: 'a VIP that is configured no more takes no new flows',
    options: { spec: { ...dsrSpec(), vips: dsrSpec().vips.map((vip) => ({ ...vip, retired: true })) } },
    packet: (family) => fromClient(family),
    reason: 'not-ours',
    verdict: accept,
  },
  {
    name: 'SYN and FIN together',
    packet: (family) => fromClient(family, { flags: 'SF' }),
    reason: 'bad-flags',
    verdict: drop,
  },
  {
    name: 'no flags at all, in a flow',
    before: (family) => [fromClient(family)],
    packet: (family) => fromClient(family, { flags: '' }),
    reason: 'bad-flags',
    verdict: drop,
  },
  {
    name: 'the VIP itself for a source, which a backend would take for its own address',
    packet: (family) => fromClient(family, { source: family.vip }),
    reason: 'bad-source',
    verdict: drop,
  },
  {
    name: 'a multicast source',
    packet: (family) => fromClient(family, { source: family.version === 4 ? '224.0.0.1' : 'ff02::1' }),
    reason: 'bad-source',
    verdict: drop,
  },
  {
    name: 'a packet that the kernel cut off',
    packet: (family) => fromClient(family),
    flags: 0x80,
    reason: 'cut-off',
    verdict: drop,
  },
  {
    name: 'a packet cut off inside',
    packet: (family) => fromClient(family).subarray(0, 38),
    reason: 'truncated',
    verdict: drop,
  },
];
