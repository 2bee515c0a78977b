/**
 * Requests that are too large for the tunnel, in the network of dsr-support.ts: all links take 1500 bytes, of which GRE
 * over IPv4 takes 24 and over IPv6 44.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import type { Sluice } from '../support/sluice.ts';
import {
  backends,
  combinations,
  dsrNetwork,
  edgeConfiguration,
  type Peers,
  ports,
  startEdge,
  startPeers,
  url,
} from './dsr-support.ts';
import { python } from './nat-support.ts';

const size = 5_000_003;
const hash = createHash('sha256').update(new Uint8Array(size)).digest('hex');

/** What a path of so many bytes leaves of a packet, by the outer family. */
const inside1500 = { 4: 1476, 6: 1456 } as const;
const inside1400 = { 4: 1376, 6: 1356 } as const;

/** A UDP socket of Python, connected to a VIP, whose kernel does path MTU discovery (`DO`, with DF) or does not (`DONT`). */
function datagramSocket(vip: string, discovery: 'DO' | 'DONT'): string {
  const value = { DONT: 0, DO: 2 }[discovery];
  const [level, mtuDiscover, mtu] = vip.includes(':') ? ['IPPROTO_IPV6', 23, 24] : ['IPPROTO_IP', 10, 14];
  return `s = socket.socket(socket.AF_INET${vip.includes(':') ? '6' : ''}, socket.SOCK_DGRAM)
s.setsockopt(socket.${level}, ${mtuDiscover}, ${value})
s.settimeout(10)
s.connect(("${vip}", ${ports.udp}))
def mtu():
    return s.getsockopt(socket.${level}, ${mtu})`;
}

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const router = network.host('router');

  const upload = (vip: string): string =>
    client.run(`head -c ${size} /dev/zero | curl -gsS --max-time 40 -T - -H Expect: ${url(vip)}/put`);
  /** The size that the client's kernel believes to fit on the way to a VIP; undefined if it was told none. */
  const learnt = (vip: string): number | undefined => {
    const [, mtu] = / mtu (\d+)/.exec(client.run(`ip route get ${vip}`)) ?? [];
    return mtu === undefined ? undefined : Number(mtu);
  };
  const forget = (): void => {
    client.run('ip route flush cache; ip -6 route flush cache');
  };
  /** Has the router pass on no ICMP that tells what fits, while something is done. */
  const withoutIcmp = (act: () => void): void => {
    const rules = (change: '-I' | '-D'): void => {
      router.run(`iptables ${change} FORWARD -p icmp --icmp-type fragmentation-needed -j DROP
ip6tables ${change} FORWARD -p icmpv6 --icmpv6-type packet-too-big -j DROP`);
    };
    rules('-I');
    try {
      act();
    } finally {
      rules('-D');
    }
  };
  /** Has the links of the backends take fewer bytes while something is done. */
  const withNarrowLinks = (mtu: number, act: () => void): void => {
    const narrow = (bytes: number): void => {
      for (const host of backends) {
        router.run(`ip link set ${host} mtu ${bytes}`);
        network.host(host).run(`ip link set router mtu ${bytes}`);
      }
    };
    narrow(mtu);
    try {
      act();
    } finally {
      narrow(1_500);
    }
  };

  let peers: Peers;
  let edge: Sluice;
  const start = async (...flags: string[]): Promise<void> => {
    peers = await startPeers(network, backends, 'gre', ...flags);
    edge = await startEdge(edgeConfiguration());
  };
  const stop = async (): Promise<void> => {
    await edge.stop();
    await peers.stop();
  };

  describe('where backends offer what fits their own links only', () => {
    before(() => start('--mss', 'off'));
    afterEach(forget);
    after(stop);

    for (const { name, vip, outer } of combinations) {
      it(`an upload completes, as the client is told what fits, ${name}`, () => {
        assert.equal(upload(vip), hash);
        assert.equal(learnt(vip), inside1500[outer]);
      });

      it(`an upload stalls if the client is not told, ${name}`, () => {
        // Ended by RST: what waits to be sent once more is not, and nothing is learnt from it later.
        const code = `s = connect("${vip}", ${ports.http})
s.settimeout(3)
try:
    s.sendall(b"PUT /put HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: ${size}\\r\\n\\r\\n" + bytes(${size}))
except TimeoutError:
    print("stalls")
abort(s)`;
        withoutIcmp(() => assert.equal(python(client, code), 'stalls\n'));
      });

      it(`a datagram with DF is too large, which its sender is told, ${name}`, () => {
        const fits = inside1500[outer] - (vip.includes(':') ? 48 : 28);
        const seen = python(
          client,
          `${datagramSocket(vip, 'DO')}
s.send(b"x" * ${fits})
print(len(s.recv(65536).split(b" ")[-1]), mtu())
s.send(b"x" * ${fits + 1})
try:
    s.recv(65536)
except OSError as error:
    print(error.strerror, mtu())`,
        );
        assert.equal(seen, `${fits} 1500\nMessage too long ${inside1500[outer]}\n`);
      });

      it(`datagrams without DF arrive, of whatever size, ${name}`, () => {
        // Only its sender may cut a packet of IPv6, and has to be told first.
        const told = vip.includes(':') ? `s.send(b"x" * 1452)\nwhile mtu() == 1500: time.sleep(0.01)` : '';
        const sizes = [1, 1_400, 1_472, 1_473, 2_900, 4_000];
        const echoed = python(
          client,
          `import time
${datagramSocket(vip, 'DONT')}
${told}
for size in ${JSON.stringify(sizes)}:
    s.send(b"x" * size)
    print(len(s.recv(65536).split(b" ")[-1]))`,
        );
        assert.deepEqual(echoed.trim().split('\n').map(Number), sizes);
      });
    }

    // Last, as the balancer remembers for minutes what it was told of a backend.
    for (const { name, vip, outer } of combinations) {
      it(`an upload completes over a link behind the balancer that is narrower still, ${name}`, () => {
        withNarrowLinks(1_400, () => {
          assert.equal(upload(vip), hash);
          assert.equal(learnt(vip), inside1400[outer]);
        });
      });
    }
  });

  describe('where backends offer what fits the tunnel', () => {
    before(() => start());
    afterEach(forget);
    after(stop);

    for (const { name, vip } of combinations) {
      it(`an upload completes though no ICMP arrives, ${name}`, () => {
        withoutIcmp(() => {
          assert.equal(upload(vip), hash);
          assert.equal(learnt(vip), undefined);
        });
      });
    }
  });
}
