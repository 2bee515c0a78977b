/** Echo, hops, and ICMP errors about what backends have answered. */
import { type Craft, craft } from '../../packet/craft.ts';
import type { Family } from '../balancer.ts';
import { accept, ack, answerTo, choose, drop, fromClient, type Row, rewritten } from './row.ts';

/** A router on the way to the client complains of a backend's answer, to the VIP. */
function aboutAnswer(family: Family, what: Partial<Craft> = {}, changes: Partial<Craft> = {}): Uint8Array {
  return craft({
    source: family.router,
    destination: family.vip,
    protocol: 'icmp',
    icmp: family.icmp.tooBig,
    icmpRest: [0, 0, 5, 0],
    payload: answerTo(family, { payload: 'x'.repeat(40), ...what }),
    ...changes,
  });
}

export const hops: readonly Row[] = [
  {
    name: 'an echo request to the VIP is answered',
    packet: (family) =>
      fromClient(family, { protocol: 'icmp', icmp: [family.icmp.echo, 0], payload: 'ping!', ttl: 1 }),
    reason: 'echo-answered',
    verdict: rewritten,
    out: (family) => ({
      source: family.vip,
      destination: family.client,
      icmp: [family.icmp.reply, 0],
      payload: Uint8Array.from(Buffer.from('ping!')),
      ttl: 64,
    }),
  },
  {
    name: 'an echo request from nobody is not',
    packet: (family) =>
      fromClient(family, {
        protocol: 'icmp',
        icmp: [family.icmp.echo, 0],
        source: family.version === 4 ? '255.255.255.255' : 'ff02::1',
      }),
    reason: 'bad-source',
    verdict: drop,
  },
  {
    name: 'an echo request to the machine’s own address is the machine’s',
    packet: (family) =>
      fromClient(family, { protocol: 'icmp', icmp: [family.icmp.echo, 0], destination: family.snat }),
    reason: 'not-ours',
    verdict: accept,
  },
  {
    name: 'an echo reply to the VIP is the machine’s',
    packet: (family) => fromClient(family, { protocol: 'icmp', icmp: [family.icmp.reply, 0] }),
    reason: 'not-ours',
    verdict: accept,
  },
  { name: 'the last hop but one', packet: (family) => fromClient(family, { ttl: 2 }), to: 'first' },
  ...[1, 0].map(
    (ttl): Row => ({
      name: `a packet with ${ttl} hops to go`,
      packet: (family) => fromClient(family, { ttl, payload: 'far' }),
      reason: 'time-exceeded-sent',
      verdict: rewritten,
      out: (family) => ({
        source: family.vip,
        destination: family.client,
        icmp: [family.icmp.timeExceeded, 0],
        payload: fromClient(family, { ttl, payload: 'far' }),
      }),
    }),
  ),
  {
    name: 'an error with no hop to go is not answered',
    packet: (family) => aboutAnswer(family, {}, { ttl: 1 }),
    reason: 'time-exceeded',
    verdict: drop,
  },
  {
    name: 'an error about an answer goes to the backend that the flow is at',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => aboutAnswer(family),
    to: 'first',
  },
  {
    name: 'of a flow of datagrams too',
    before: (family) => [fromClient(family, { protocol: 'udp' })],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) => aboutAnswer(family, { protocol: 'udp' }),
    to: 'first',
  },
  {
    name: 'with no more of the answer than eight bytes of its transport header',
    before: (family) => [fromClient(family)],
    meanwhile: (balancer, outside) => choose(balancer, outside, 'other'),
    packet: (family) =>
      aboutAnswer(family, {}, { payload: answerTo(family).subarray(0, family.version === 4 ? 28 : 48) }),
    to: 'first',
  },
  {
    name: 'an error about an answer of an unknown flow goes where the hash says',
    pick: 'first',
    place: 'other',
    packet: (family) => aboutAnswer(family, {}, { icmp: [family.icmp.unreachable, 1] }),
    to: 'other',
  },
  {
    name: 'and if that flow’s backend is down',
    before: (family) => [fromClient(family)],
    meanwhile: (balancer, outside) => {
      balancer.spec.endpointDown[outside.endpoint] = 1;
      choose(balancer, outside, 'other');
    },
    packet: (family) => aboutAnswer(family),
    to: 'other',
  },
  {
    name: 'an error about an answer that nobody could have given is dropped',
    meanwhile: (balancer, outside) => choose(balancer, outside, undefined),
    packet: (family) => aboutAnswer(family),
    reason: 'no-backend',
    verdict: drop,
  },
  {
    name: 'an error about an answer from a port that is none of ours',
    packet: (family) => aboutAnswer(family, { sourcePort: 81 }),
    reason: 'not-ours',
    verdict: accept,
  },
  {
    name: 'an error that comes to another than it is about',
    packet: (family) => aboutAnswer(family, { source: family.snat }),
    reason: 'not-ours',
    verdict: accept,
  },
  {
    name: 'an error about nothing that could be read',
    packet: (family) => aboutAnswer(family, {}, { payload: 'short' }),
    reason: 'not-ours',
    verdict: accept,
  },
];
