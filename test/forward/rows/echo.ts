/** ICMP that is about no flow. */
import { accept, bytes, drop, fromClient, type Row, rewritten } from './row.ts';

export const echo: readonly Row[] = [
  {
    name: 'an echo request to the VIP is answered',
    packet: (family) =>
      fromClient(family, { protocol: 'icmp', icmp: [family.icmp.echo, 0], payload: 'ping!', ttl: 3 }),
    reason: 'echo-answered',
    verdict: rewritten,
    out: (family) => ({
      source: family.vip,
      destination: family.client,
      icmp: [family.icmp.reply, 0],
      payload: bytes('ping!'),
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
    name: 'an echo request to the SNAT address is the machine’s',
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
  {
    name: 'the other family’s ICMP is just another protocol',
    packet: (family) => {
      const packet = fromClient(family, { protocol: 'other', payload: 'x'.repeat(8) });
      packet[family.version === 4 ? 9 : 6] = family.version === 4 ? 58 : 1;
      return packet;
    },
    reason: 'not-ours',
    verdict: accept,
  },
];
