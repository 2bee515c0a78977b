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

const size = 20_000_003;
const hash = createHash('sha256').update(new Uint8Array(size)).digest('hex');

/** What a path of so many bytes leaves of a packet, by the outer family. */
const inside1500 = { 4: 1476, 6: 1456 } as const;
const inside1400 = { 4: 1376, 6: 1356 } as const;

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const router = network.host('router');

  const upload = (vip: string, patienceSeconds = 30): string =>
    client.run(
      `head -c ${size} /dev/zero | curl -gsS --max-time ${patienceSeconds} -T - -H Expect: ${url(vip)}/put`,
    );
  /** The size that the client's kernel believes to fit on the way to a VIP; undefined if it was told none. */
  const learnt = (vip: string): number | undefined => {
    const [, mtu] = / mtu (\d+)/.exec(client.run(`ip route get ${vip}`)) ?? [];
    return mtu === undefined ? undefined : Number(mtu);
  };
  const forget = (): void => {
    client.run('ip route flush cache; ip -6 route flush cache');
  };
  const noIcmp = {
    add: 'iptables -I FORWARD -p icmp -j DROP; ip6tables -I FORWARD -p icmpv6 --icmpv6-type packet-too-big -j DROP',
    remove:
      'iptables -D FORWARD -p icmp -j DROP; ip6tables -D FORWARD -p icmpv6 --icmpv6-type packet-too-big -j DROP',
  };

  let edge: Sluice;
  before(async () => {
    // Its first packets are as large as the others.
    client.run('echo 0 >/proc/sys/net/ipv4/tcp_mtu_probing');
  });

  for (const [help, flags] of [
    ['without the help of backends', ['--mss', 'off']],
    ['with the help of backends', []],
  ] as const) {
    describe(`an upload ${help}`, () => {
      let peers: Peers;
      before(async () => {
        peers = await startPeers(network, backends, 'gre', ...flags);
        edge = await startEdge(edgeConfiguration());
      });
      afterEach(forget);
      after(async () => {
        await edge.stop();
        await peers.stop();
      });

      for (const { name, vip, outer } of combinations) {
        if (flags.length > 0) {
          it(`completes, as the client is told what fits, ${name}`, () => {
            assert.equal(upload(vip), hash);
            assert.equal(learnt(vip), inside1500[outer]);
          });

          it(`completes where a link behind the balancer is narrower still, ${name}`, () => {
            const narrow = (mtu: number): void => {
              for (const host of backends) {
                router.run(`ip link set ${host} mtu ${mtu}`);
                network.host(host).run(`ip link set router mtu ${mtu}`);
              }
            };
            narrow(1_400);
            try {
              assert.equal(upload(vip), hash);
              assert.equal(learnt(vip), inside1400[outer]);
            } finally {
              narrow(1_500);
            }
          });

          it(`stalls where ICMP is filtered, ${name}`, () => {
            router.run(noIcmp.add);
            try {
              assert.throws(() => upload(vip, 3), /timed out/);
            } finally {
              router.run(noIcmp.remove);
            }
          });
        } else {
          it(`completes where ICMP is filtered, ${name}`, () => {
            router.run(noIcmp.add);
            try {
              assert.equal(upload(vip), hash);
              assert.equal(learnt(vip), undefined);
            } finally {
              router.run(noIcmp.remove);
            }
          });
        }

        it(`is no matter to datagrams of any size, ${name}`, () => {
          const echoed = python(
            client,
            `s = socket.socket(socket.AF_INET6 if ":" in "${vip}" else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(("${vip}", ${ports.udp}))
for size in (1, 1400, 1472, 1473, 2900, 4000):
    s.send(b"x" * size)
    print(len(s.recv(65536).split(b" ")[-1]))`,
          );
          assert.deepEqual(echoed.trim().split('\n').map(Number), [1, 1400, 1472, 1473, 2900, 4000]);
        });
      }
    });
  }
}
