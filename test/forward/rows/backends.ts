/** Backends that are down, draining or not there at all. */
import { defaultSpec } from '../balancer.ts';
import {
  ack,
  bytes,
  datagrams,
  drop,
  fromBackend,
  fromClient,
  handshake,
  type Row,
  rewritten,
  toBackend,
  toClient,
} from './row.ts';

export const backends: readonly Row[] = [
  {
    name: 'no backend: a SYN is refused',
    options: { pick: () => 0 },
    packet: (family) => fromClient(family),
    reason: 'reset-sent',
    verdict: rewritten,
    out: (family) => ({
      ...toClient(family),
      sourcePort: 80,
      flags: 'RA',
      sequence: 0,
      acknowledgement: 101,
    }),
  },
  {
    name: 'no backend: a datagram is refused',
    options: { pick: () => 0 },
    packet: (family) => fromClient(family, { protocol: 'udp', payload: 'query' }),
    reason: 'unreachable-sent',
    verdict: rewritten,
    out: (family) => ({
      source: family.vip,
      destination: family.client,
      icmp: family.icmp.closed,
      payload: fromClient(family, { protocol: 'udp', payload: 'query' }),
      ttl: 64,
    }),
  },
  {
    name: 'no backend: a super-packet of datagrams cannot be',
    options: { pick: () => 0 },
    packet: (family) => fromClient(family, { protocol: 'udp', payload: new Uint8Array(4_000) }),
    flags: 0x03,
    reason: 'no-backend',
    verdict: drop,
  },
  {
    name: 'no backend and no reply to a datagram, by option',
    options: {
      pick: () => 0,
      spec: { ...defaultSpec(), vips: defaultSpec().vips.map((vip) => ({ ...vip, rejectWhenNone: false })) },
    },
    packet: (family) => fromClient(family, { protocol: 'udp' }),
    reason: 'no-backend',
    verdict: drop,
  },
  {
    name: 'no backend and no reply, by option',
    options: {
      pick: () => 0,
      spec: { ...defaultSpec(), vips: defaultSpec().vips.map((vip) => ({ ...vip, rejectWhenNone: false })) },
    },
    packet: (family) => fromClient(family),
    reason: 'no-backend',
    verdict: drop,
  },
  {
    name: 'a backend of the other family is none',
    options: { pick: (_, packet) => (packet.version === 4 ? 3 : 1) },
    packet: (family) => fromClient(family),
    reason: 'no-backend',
    verdict: drop,
  },
  {
    name: 'a backend that is down: the client is told',
    before: handshake,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
    },
    packet: (family) => fromClient(family, { ...ack, flags: 'PA', payload: 'more' }),
    reason: 'reset-sent',
    verdict: rewritten,
    out: (family) => ({ ...toClient(family), sourcePort: 80, flags: 'R', sequence: 901, payload: bytes('') }),
  },
  {
    name: 'a backend that is down but speaks is told as well',
    before: handshake,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
    },
    packet: (family) =>
      fromBackend(family, { flags: 'PA', sequence: 901, acknowledgement: 101, payload: 'x' }),
    reason: 'reset-sent',
    verdict: rewritten,
    out: (family) => ({ ...toBackend(family), sourcePort: 2000, flags: 'R', sequence: 101 }),
  },
  {
    name: 'a super-packet cannot be turned into a reset',
    before: handshake,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
    },
    packet: (family) => fromClient(family, { ...ack, payload: new Uint8Array(4_000) }),
    flags: 0x03,
    reason: 'backend-down',
    verdict: drop,
  },
  {
    name: 'nobody answers a reset with a reset',
    before: handshake,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
    },
    packet: (family) => fromClient(family, { flags: 'R', sequence: 101 }),
    reason: 'forwarded',
    verdict: rewritten,
    out: (family) => ({ ...toBackend(family), flags: 'R' }),
  },
  {
    name: 'a backend that is down: dropped, by option',
    options: {
      spec: { ...defaultSpec(), vips: defaultSpec().vips.map((vip) => ({ ...vip, resetWhenDown: false })) },
    },
    before: handshake,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
    },
    packet: (family) => fromClient(family, ack),
    reason: 'backend-down',
    verdict: drop,
  },
  {
    name: 'a backend that is down: datagrams move to another',
    before: datagrams,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
      balancer.picks = () => family.otherEndpoint;
    },
    packet: (family) => fromClient(family, { protocol: 'udp' }),
    reason: 'forwarded',
    verdict: rewritten,
    out: (family) => ({ source: family.snat, destination: family.other, destinationPort: 9000 }),
  },
  {
    name: 'a backend that is down, and no other',
    before: datagrams,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
      balancer.picks = () => 0;
    },
    packet: (family) => fromClient(family, { protocol: 'udp' }),
    reason: 'unreachable-sent',
    verdict: rewritten,
    out: (family) => ({ source: family.vip, destination: family.client, icmp: family.icmp.closed }),
  },
  {
    name: 'a backend that is down, and picked as the last one known',
    before: datagrams,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
    },
    packet: (family) => fromClient(family, { protocol: 'udp' }),
    reason: 'forwarded',
    verdict: rewritten,
    out: (family) => ({ ...toBackend(family), sourcePort: 2000 }),
  },
  {
    name: 'a backend that is down: its last datagrams arrive',
    before: datagrams,
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
    },
    packet: (family) => fromBackend(family, { protocol: 'udp' }),
    reason: 'forwarded',
    verdict: rewritten,
    out: toClient,
  },
  {
    name: 'a SYN again, whose backend is down by now, goes to another',
    before: (family) => [fromClient(family)],
    meanwhile: (balancer, family) => {
      balancer.spec.endpointDown[family.endpoint] = 1;
      balancer.picks = () => family.otherEndpoint;
    },
    packet: (family) => fromClient(family),
    reason: 'forwarded',
    verdict: rewritten,
    out: (family) => ({ destination: family.other, flags: 'S' }),
  },
  {
    name: 'a flow stays with its backend while that drains',
    before: handshake,
    meanwhile: (balancer, family) => {
      balancer.picks = () => family.otherEndpoint;
    },
    packet: (family) => fromClient(family, ack),
    reason: 'forwarded',
    verdict: rewritten,
    out: toBackend,
  },
];
