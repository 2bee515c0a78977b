/** Packets that are dropped, and why. */
import { defaultSpec } from '../balancer.ts';
import { ack, drop, fromBackend, fromClient, handshake, type Row } from './row.ts';

export const refusals: readonly Row[] = [
  {
    name: 'a hairpin without any SNAT address cannot be',
    options: { spec: { ...defaultSpec(), snats: [] } },
    packet: (family) => fromClient(family, { source: family.backend, destinationPort: 81 }),
    reason: 'hairpin-needs-snat',
    verdict: drop,
  },
  {
    name: 'a VIP with SNAT and no address to leave from',
    options: { spec: { ...defaultSpec(), snats: [] } },
    packet: (family) => fromClient(family),
    reason: 'ports-exhausted',
    verdict: drop,
  },
  {
    name: 'mid-flow without a flow',
    packet: (family) => fromClient(family, ack),
    reason: 'no-flow',
    verdict: drop,
  },
  {
    name: 'a SYN-ACK out of the blue',
    packet: (family) => fromClient(family, { flags: 'SA' }),
    reason: 'no-flow',
    verdict: drop,
  },
  {
    name: 'an answer to nobody',
    packet: (family) => fromBackend(family),
    reason: 'no-flow',
    verdict: drop,
  },
  {
    name: 'a backend’s answer from another port',
    before: (family) => [fromClient(family)],
    packet: (family) => fromBackend(family, { sourcePort: 9001 }),
    reason: 'no-flow',
    verdict: drop,
  },
  {
    name: 'SYN and FIN together',
    packet: (family) => fromClient(family, { flags: 'SF' }),
    reason: 'bad-flags',
    verdict: drop,
  },
  {
    name: 'no flags at all, in a flow',
    before: handshake,
    packet: (family) => fromClient(family, { flags: '' }),
    reason: 'bad-flags',
    verdict: drop,
  },
  {
    name: 'a multicast source',
    packet: (family) => fromClient(family, { source: family.version === 4 ? '224.0.0.1' : 'ff02::1' }),
    reason: 'bad-source',
    verdict: drop,
  },
  {
    name: 'no source',
    packet: (family) => fromClient(family, { source: family.version === 4 ? '0.0.0.0' : '::' }),
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
  {
    name: 'too many knock at once',
    options: { halfOpenQuota: 1 },
    before: (family) => [fromClient(family)],
    packet: (family) => fromClient(family, { sourcePort: 40_001 }),
    reason: 'half-open-full',
    verdict: drop,
  },
  {
    name: 'all ports are taken',
    options: { spec: { ...defaultSpec(), snatPorts: [2000, 2000] } },
    before: (family) => [fromClient(family)],
    packet: (family) => fromClient(family, { sourcePort: 40_001 }),
    reason: 'ports-exhausted',
    verdict: drop,
  },
  {
    name: 'the table is full',
    options: { shape: { capacity: 2, vips: 16, endpoints: 8 } },
    before: handshake,
    packet: (family) => fromClient(family, { sourcePort: 40_001 }),
    reason: 'table-full',
    verdict: drop,
  },
  {
    name: 'without SNAT one client port cannot reach a backend by two VIPs of a protocol',
    options: {
      spec: {
        ...defaultSpec(),
        vips: defaultSpec().vips.map((vip) => (vip.protocol === 6 ? { ...vip, snat: false } : vip)),
      },
    },
    before: (family) => [fromClient(family)],
    packet: (family) => fromClient(family, { destinationPort: 81 }),
    reason: 'key-taken',
    verdict: drop,
  },
];
