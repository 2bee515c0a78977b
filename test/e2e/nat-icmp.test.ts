/**
 * ICMP and ICMPv6 through mode nat.
 *
 *   client 10.1.0.2 ── .1 edge 10.2.0.2 ── .1 balancer 10.3.0.1 ── .2 far 10.4.0.1 ── .2 one
 *
 * IPv6 alike, with fd01:: for 10.1.0. and so on. The VIPs 10.9.0.1 and fd09::1 are routed to the balancer. One router
 * at a time gets a smaller MTU in one direction, which neither end of a connection can see.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import type { NetworkSpec } from '../support/netns.ts';
import { sha256OfPattern } from './nat-pattern.ts';
import { type Datapath, families, startDatapath, startOrigin, vipOf } from './nat-support.ts';

const hosts = ['client', 'edge', 'balancer', 'far', 'one'] as const;

const chain: NetworkSpec = {
  links: [
    { ends: { client: '10.1.0.2/24 fd01::2/64', edge: '10.1.0.1/24 fd01::1/64' } },
    { ends: { edge: '10.2.0.2/24 fd02::2/64', balancer: '10.2.0.1/24 fd02::1/64' } },
    { ends: { balancer: '10.3.0.1/24 fd03::1/64', far: '10.3.0.2/24 fd03::2/64' } },
    { ends: { far: '10.4.0.1/24 fd04::1/64', one: '10.4.0.2/24 fd04::2/64' } },
  ],
  routes: {
    client: ['default via 10.1.0.1', 'default via fd01::1'],
    edge: ['default via 10.2.0.1', 'default via fd02::1'],
    balancer: [
      'default via 10.2.0.2',
      'default via fd02::2',
      '10.4.0.0/24 via 10.3.0.2',
      'fd04::/64 via fd03::2',
    ],
    far: ['default via 10.3.0.1', 'default via fd03::1'],
    one: ['default via 10.4.0.1', 'default via fd04::1'],
  },
};

/** What a whole segment does not pass, and where. */
const smallMtu = 1_400;
const narrows = [
  { where: 'on the way to the client', router: 'edge', towards: 'client', upload: false },
  { where: 'on the balancer itself, towards the client', router: 'balancer', towards: 'edge', upload: false },
  { where: 'on the balancer itself, towards the backend', router: 'balancer', towards: 'far', upload: true },
  { where: 'on the way to the backend', router: 'far', towards: 'one', upload: true },
] as const;

const bytes = 3_000_000;

const network = inside(import.meta.url, 'balancer', chain);
if (network !== undefined) {
  const client = network.host('client');
  const balancer = network.host('balancer');
  let datapath: Datapath;

  before(async () => {
    await startOrigin(network, 'one');
    // A machine sends what it has a route for.
    for (const { vip } of families) balancer.run(`ip route replace ${vip} dev lo`);
  });

  for (const workers of [1, 2]) {
    describe(`with ${workers} worker${workers === 1 ? '' : 's'}`, () => {
      before(async () => {
        datapath = await startDatapath(
          families.flatMap((family) => {
            const address = family.version === 4 ? '10.4.0.2' : 'fd04::2';
            const one = { name: 'one', address, weight: 1, up: true };
            return [
              vipOf(family, 'tcp', 80, 8080, { backends: [{ ...one, port: 8080 }] }),
              vipOf(family, 'udp', 99, 99, { backends: [{ ...one, port: 99 }] }),
            ];
          }),
          { workers },
        );
      });
      after(() => datapath.stop());

      for (const family of families) {
        const url = family.url(family.vip, 80);

        describe(`ICMP over IPv${family.version}`, () => {
          afterEach(() => {
            for (const { router, towards } of narrows)
              network.host(router).run(`ip link set ${towards} mtu 1500`);
            for (const host of hosts) network.host(host).run('ip route flush cache; ip -6 route flush cache');
          });

          it('answers a ping to the VIP', () => {
            const said = client.run(`ping -c 3 -i 0.2 -W 2 -s 1000 ${family.vip}`);
            assert.match(said, /3 received, 0% packet loss/);
          });

          for (const { where, router, towards, upload } of narrows) {
            it(`tells a sender of a small MTU ${where}`, () => {
              network.host(router).run(`ip link set ${towards} mtu ${smallMtu}`);
              const answer = client.run(
                upload
                  ? `head -c ${bytes} /dev/zero | curl -gsS --max-time 10 -T - -H Expect: ${url}/put`
                  : `curl -gsS --max-time 10 ${url}/bytes/${bytes} | sha256sum`,
              );
              if (!upload) assert.equal(answer.split(' ')[0], sha256OfPattern(bytes));
              const [sender, peer] = upload
                ? [client, family.vip]
                : [network.host('one'), family.version === 4 ? '10.3.0.1' : 'fd03::1'];
              assert.match(sender.run(`ip route get ${peer}`), new RegExp(`mtu ${smallMtu}`));
            });
          }

          it('tells a client on the balancer itself of a small MTU beyond it', () => {
            network.host('far').run(`ip link set one mtu ${smallMtu}`);
            balancer.run(`head -c ${bytes} /dev/zero | curl -gsS --max-time 10 -T - -H Expect: ${url}/put`);
            assert.match(balancer.run(`ip route get ${family.vip}`), new RegExp(`mtu ${smallMtu}`));
          });

          for (const host of [client, balancer]) {
            it(`passes on that a port is closed on the backend, if a datagram of the ${host.name} meets it`, () => {
              const said = host.run(`python3 -c '
import socket
s = socket.socket(socket.AF_INET${family.version === 4 ? '' : '6'}, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(("${family.vip}", 99))
s.send(b"x")
try:
    s.recv(9)
except ConnectionRefusedError:
    print("refused")'`);
              assert.equal(said, 'refused\n');
            });
          }
        });
      }
    });
  }
}
