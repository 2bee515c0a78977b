/**
 * Tunnels against scapy, which nobody here wrote: it reads the packets that we encapsulate and would have written every
 * byte of them the same; we read those that it encapsulates; and it cuts packets up where we do.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { icmpErrorLength, writeIcmpError } from '../../lib/forward/icmp-answer.ts';
import { decapsulate, TunnelPacket } from '../../lib/packet/decapsulate.ts';
import { Encapsulation, headroom } from '../../lib/packet/encapsulate.ts';
import { fragmentRoom, writeFragment } from '../../lib/packet/fragment-ipv4.ts';
import { Packet } from '../../lib/packet/packet.ts';
import { parsePacket } from '../../lib/packet/parse.ts';
import { missing } from '../support/tools.ts';
import { type Craft, craft } from './craft.ts';
import { outerHeader } from './tunnels.ts';

const skip = missing('scapy');

/** The answers to orders, which scapy_twin.py explains. */
function ask<T>(orders: readonly object[]): T[] {
  const script = fileURLToPath(new URL('./scapy_twin.py', import.meta.url));
  const input = orders.map((order) => JSON.stringify(order)).join('\n');
  const said = execFileSync('/usr/bin/python3', ['-B', script], { input, encoding: 'utf8' });
  return said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const ends = {
  4: { source: '198.51.100.7', destination: '1.2.3.4' },
  6: { source: '2001:db8::7', destination: '2001:db8:1::4' },
} as const;
const outer = {
  4: { source: '10.0.1.2', destination: '10.0.2.11' },
  6: { source: 'fd00:1::2', destination: 'fd00:2::11' },
} as const;
const versions = [4, 6] as const;

/** Packets of all sorts, of one family. */
function innerPackets(version: 4 | 6): Uint8Array[] {
  const what: readonly Partial<Craft>[] = [
    { flags: 'S', tcpOptions: [2, 4, 5, 0xb4], sourcePort: 40_000, destinationPort: 80 },
    { flags: 'PA', payload: 'odd', trafficClass: 0xb9, dontFragment: true },
    { protocol: 'udp', payload: new Uint8Array(1_001).fill(7), destinationPort: 5_353, trafficClass: 0x02 },
    { protocol: 'icmp', icmp: [version === 4 ? 8 : 128, 0], payload: 'ping', trafficClass: 0x03 },
  ];
  return what.map((each) => craft({ ...ends[version], sourcePort: 7, ...each }));
}

interface Read {
  readonly layers: readonly string[];
  readonly source: string;
  readonly destination: string;
  readonly trafficClass: number;
  readonly ttl: number;
  readonly dontFragment: boolean | null;
  readonly flowLabel: number | null;
  readonly inner: string;
  readonly same: boolean;
  readonly mtu: number | null;
}

describe('scapy', { skip }, () => {
  for (const inside of versions) {
    for (const outside of versions) {
      it(`reads what we encapsulate, IPv${inside} in IPv${outside}, and would write it the same`, () => {
        const cases = innerPackets(inside).flatMap((inner) =>
          (['gre', 'ipip'] as const).map((encapsulation) => ({ inner, encapsulation })),
        );
        const header = outerHeader(Encapsulation.gre, outer[outside]);
        header.flowLabel = 0x12345;
        const packets = cases.map(({ inner, encapsulation }) => {
          const bytes = new Uint8Array(headroom + inner.length);
          bytes.set(inner, headroom);
          header.encapsulation = Encapsulation[encapsulation];
          return bytes.slice(header.write(new DataView(bytes.buffer), headroom, inner.length));
        });
        const answers = ask<Read>(packets.map((bytes) => ({ order: 'read', bytes: hex(bytes) })));
        const name = (version: 4 | 6): string => (version === 4 ? 'IP' : 'IPv6');
        for (const [index, { inner, encapsulation }] of cases.entries()) {
          const read = answers[index]!;
          const tunnel = encapsulation === 'gre' ? ['GRE'] : [];
          const stack = [name(outside), ...tunnel, name(inside)];
          assert.deepEqual(read.layers.slice(0, stack.length), stack);
          assert.equal(read.inner, hex(inner));
          assert.ok(read.same, 'to the byte');
          const class4 = inner[1]!;
          const class6 = ((inner[0]! & 15) << 4) | (inner[1]! >> 4);
          assert.deepEqual(
            [read.source, read.destination, read.trafficClass, read.ttl],
            [outer[outside].source, outer[outside].destination, inside === 4 ? class4 : class6, 64],
          );
          if (outside === 6) assert.equal(read.flowLabel, 0x12345);
          else if (inside === 4) assert.equal(read.dontFragment, (inner[6]! & 0x40) !== 0);
        }
      });

      it(`encapsulates what we take out again, IPv${inside} in IPv${outside}`, () => {
        const variants = [
          { encapsulation: 'ipip' },
          { encapsulation: 'gre', checksum: false },
          { encapsulation: 'gre', checksum: true },
          { encapsulation: 'gre', checksum: false, key: 0xfeedbeef },
          { encapsulation: 'gre', checksum: true, key: 1, seqence_number: 2 },
        ];
        const cases = innerPackets(inside).flatMap((inner) =>
          variants.map((variant) => ({ inner, variant })),
        );
        const answers = ask<{ readonly bytes: string }>(
          cases.map(({ inner, variant }) => ({
            order: 'encap',
            inner: hex(inner),
            outer: { ...outer[outside], trafficClass: 0x48, ...variant },
          })),
        );
        const found = new TunnelPacket();
        for (const [index, { inner }] of cases.entries()) {
          const bytes = Uint8Array.from(Buffer.from(answers[index]!.bytes, 'hex'));
          assert.equal(decapsulate(found, new DataView(bytes.buffer), 0, bytes.length), 0);
          assert.equal(found.innerVersion, inside);
          assert.equal(hex(bytes.subarray(found.innerStart, found.innerEnd)), hex(inner));
        }
      });
    }

    it(`reads the size that we ask for, over IPv${inside}`, () => {
      const [inner] = innerPackets(inside).slice(2);
      const bytes = new Uint8Array(headroom + inner!.length);
      bytes.set(inner!, headroom);
      const view = new DataView(bytes.buffer);
      const packet = new Packet();
      parsePacket(packet, view, headroom, bytes.length);
      const start =
        inside === 4 ? writeIcmpError(view, packet, 3, 4, 1_476) : writeIcmpError(view, packet, 2, 0, 1_456);
      const message = bytes.subarray(start, start + icmpErrorLength(packet));
      const [read] = ask<Read>([{ order: 'read', bytes: hex(message) }]);
      assert.deepEqual(
        [read!.layers[1], read!.mtu, read!.source, read!.destination],
        [
          inside === 4 ? 'ICMP' : 'ICMPv6PacketTooBig',
          inside === 4 ? 1_476 : 1_456,
          ends[inside].destination,
          ends[inside].source,
        ],
      );
    });
  }

  it('cuts an IPv4 packet up where we do', () => {
    const packets = [1_500, 2_000, 4_004].map((length) =>
      craft({ ...ends[4], protocol: 'udp', payload: new Uint8Array(length - 28).fill(7) }),
    );
    const sizes = [1_456, 800, 8];
    const answers = ask<{ readonly fragments: readonly string[] }>(
      packets.flatMap((packet) => sizes.map((size) => ({ order: 'fragment', bytes: hex(packet), size }))),
    );
    const ours = packets.flatMap((packet) =>
      sizes.map((size) => {
        assert.equal(fragmentRoom(size + 20, 20), size);
        const view = new DataView(packet.buffer);
        const data = packet.length - 20;
        return Array.from({ length: Math.ceil(data / size) }, (_, index) => {
          const length = Math.min(size, data - index * size);
          const to = new Uint8Array(20 + length);
          const isLast = index * size + length === data;
          writeFragment(view, 0, 20, index * size, length, isLast, new DataView(to.buffer), 0);
          return hex(to);
        });
      }),
    );
    assert.deepEqual(
      ours,
      answers.map(({ fragments }) => fragments),
    );
  });
});
