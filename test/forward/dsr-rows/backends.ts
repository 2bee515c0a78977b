/** Backends that are down, missing or checked. */
import { dsrSpec } from '../dsr-balancer.ts';
import { ack, choose, drop, fromClient, type Row, rewritten } from './row.ts';

/** The first backend goes down, and policy and hash go over to the other one. */
const failover: Row['meanwhile'] = (balancer, outside) => {
  balancer.spec.endpointDown[outside.endpoint] = 1;
  choose(balancer, outside, 'other');
};

/** It goes down and there is no other. */
const disaster: Row['meanwhile'] = (balancer, outside) => {
  balancer.spec.endpointDown[outside.endpoint] = 1;
  choose(balancer, outside, undefined);
};

export const backends: readonly Row[] = [
  {
    name: 'a flow whose backend is down is placed anew',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    meanwhile: failover,
    packet: (family) => fromClient(family, ack),
    to: 'other',
  },
  {
    name: 'a stream whose backend is down is placed anew',
    before: (family) => [fromClient(family, { protocol: 'udp' })],
    meanwhile: failover,
    packet: (family) => fromClient(family, { protocol: 'udp' }),
    to: 'other',
  },
  {
    name: 'a SYN to a backend that is down is placed anew',
    before: (family) => [fromClient(family)],
    meanwhile: failover,
    packet: (family) => fromClient(family),
    to: 'other',
  },
  {
    name: 'a flow that was placed anew stays there when its old backend is back',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    meanwhile: (balancer, outside, family) => {
      failover(balancer, outside, family);
      balancer.send(fromClient(family, ack));
      balancer.sentApart();
      balancer.spec.endpointDown[outside.endpoint] = 0;
      choose(balancer, outside, 'first');
    },
    packet: (family) => fromClient(family, ack),
    to: 'other',
  },
  {
    name: 'a backend that is down, and chosen as the last one known, keeps its flows',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    meanwhile: (balancer, outside) => {
      balancer.spec.endpointDown[outside.endpoint] = 1;
    },
    packet: (family) => fromClient(family, ack),
    to: 'first',
  },
  {
    name: 'no backend: a SYN is refused',
    meanwhile: disaster,
    packet: (family) => fromClient(family),
    reason: 'reset-sent',
    verdict: rewritten,
    out: (family) => ({
      source: family.vip,
      destination: family.client,
      sourcePort: 80,
      destinationPort: 40_000,
      flags: 'RA',
      acknowledgement: 101,
    }),
  },
  {
    name: 'no backend is left: a flow is refused',
    before: (family) => [fromClient(family), fromClient(family, ack)],
    meanwhile: disaster,
    packet: (family) => fromClient(family, ack),
    reason: 'reset-sent',
    verdict: rewritten,
    out: () => ({ flags: 'R', sequence: 901 }),
  },
  {
    name: 'no backend: a datagram is refused',
    meanwhile: disaster,
    packet: (family) => fromClient(family, { protocol: 'udp', payload: 'query' }),
    reason: 'unreachable-sent',
    verdict: rewritten,
    out: (family) => ({
      source: family.vip,
      destination: family.client,
      icmp: family.icmp.closed,
      payload: fromClient(family, { protocol: 'udp', payload: 'query' }),
    }),
  },
  {
    name: 'no backend and no reply, by option',
    options: {
      spec: { ...dsrSpec(), vips: dsrSpec().vips.map((vip) => ({ ...vip, rejectWhenNone: false })) },
    },
    meanwhile: disaster,
    packet: (family) => fromClient(family),
    reason: 'no-backend',
    verdict: drop,
  },
];
