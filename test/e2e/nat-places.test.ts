/**
 * Where clients, VIPs and backends of mode nat may be, in the network of nat-support.ts: a VIP that is routed here, an
 * address of the balancer's own, or added by it; a client that is the balancer itself, or a backend.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, before, describe, it } from 'node:test';
import { inside } from '../support/inside-netns.ts';
import type { Host } from '../support/netns.ts';
import { scratch } from '../support/scratch.ts';
import { pattern, sha256OfPattern } from './nat-pattern.ts';
import {
  backendOf,
  backends,
  type Datapath,
  families,
  natNetwork,
  startDatapath,
  startOrigin,
  vipOf,
} from './nat-support.ts';

const bulkBytes = 1_000_003;

const network = inside(import.meta.url, 'balancer', natNetwork);
if (network !== undefined) {
  const client = network.host('client');
  const balancer = network.host('balancer');
  const one = network.host('one');
  const file = join(scratch().path, 'bulk');
  writeFileSync(file, Buffer.concat([...pattern(bulkBytes)]));
  let datapath: Datapath | undefined;
  before(async () => {
    for (const name of backends) await startOrigin(network, name);
  });
  afterEach(() => datapath?.stop());

  for (const family of families) {
    const get = (address: string): string => `curl -gsS --max-time 5 ${family.url(address, 80)}/`;
    /** In super-packets, to the client and to the backend. */
    const download = (host: Host, address: string): string =>
      host
        .run(`curl -gsS --max-time 5 ${family.url(address, 80)}/bytes/${bulkBytes} | sha256sum`)
        .split(' ')[0]!;
    const upload = (host: Host, address: string): string =>
      host.run(`curl -gsS --max-time 5 -T ${file} -H Expect: ${family.url(address, 80)}/put`);
    const whoAmI = `python3 -c '
import socket
s = socket.socket(socket.AF_INET${family.version === 4 ? '' : '6'}, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(("${family.vip}", 5300))
s.send(b"x")
print(s.recv(99).decode())'`;

    describe(`over IPv${family.version}`, () => {
      for (const workers of [1, 2]) {
        it(`a client on the balancer itself reaches a VIP that is routed, ${workers} workers`, async () => {
          datapath = await startDatapath([vipOf(family, 'tcp', 80, 8080)], { workers });
          // What has no route at all is not even sent.
          balancer.run(`ip route replace ${family.vip} dev lo`);
          try {
            assert.match(balancer.run(get(family.vip)), /^(one|two)\n$/);
            assert.match(client.run(get(family.vip)), /^(one|two)\n$/);
            assert.equal(download(balancer, family.vip), sha256OfPattern(bulkBytes));
          } finally {
            balancer.run(`ip route delete ${family.vip} dev lo`);
          }
        });

        it(`an address of the balancer is a VIP, from there and from afar, ${workers} workers`, async () => {
          datapath = await startDatapath([vipOf(family, 'tcp', 80, 8080, { address: family.own })], {
            workers,
          });
          for (const from of [client, balancer, client, balancer]) {
            assert.match(from.run(get(family.own)), /^(one|two)\n$/);
          }
        });

        it(`a backend is its own client, ${workers} workers`, async () => {
          const service = vipOf(family, 'tcp', 80, 8080, { backends: [backendOf(family, 'one', 8080)] });
          datapath = await startDatapath([service], { workers });
          assert.equal(one.run(get(family.vip)), 'one\n');
        });

        it(`a backend sees the client's address without SNAT, ${workers} workers`, async () => {
          const service = vipOf(family, 'udp', 5300, 5300, { snat: false });
          const http = vipOf(family, 'tcp', 80, 8080, { snat: false });
          datapath = await startDatapath([service, http], { workers });
          assert.equal(client.run(whoAmI).split(' ')[1], family.client);
          assert.match(client.run(get(family.vip)), /^(one|two)\n$/);
        });
      }

      it('a VIP is added to an interface, and taken away again', async () => {
        const address = family.version === 4 ? '10.1.0.77' : 'fd01::77';
        const service = vipOf(family, 'tcp', 80, 8080, { address });
        datapath = await startDatapath([service], { addVip: 'client' });
        assert.match(client.run(get(address)), /^(one|two)\n$/);
        assert.match(balancer.run(get(address)), /^(one|two)\n$/);
        await datapath.stop();
        assert.ok(!balancer.run('ip address').includes(address));
      });

      it('the balancer is a backend itself', async () => {
        const local = await startOrigin(network, 'balancer');
        const address = family.version === 4 ? '10.2.0.1' : 'fd02::1';
        const self = { name: 'self', address, port: 8080, weight: 1, up: true };
        datapath = await startDatapath([vipOf(family, 'tcp', 80, 8080, { backends: [self] })]);
        try {
          assert.equal(client.run(get(family.vip)), 'balancer\n');
          assert.equal(upload(client, family.vip), sha256OfPattern(bulkBytes));
        } finally {
          await local();
        }
      });

      it('a client is refused when no backend is up', async () => {
        const down = backends.map((name) => backendOf(family, name, 8080, { up: false }));
        datapath = await startDatapath([vipOf(family, 'tcp', 80, 8080, { backends: down })]);
        assert.throws(() => client.run(get(family.vip)), /Failed to connect|refused/);
        assert.deepEqual(datapath.drops(vipOf(family, 'tcp', 80, 8080)), { 'reset-sent': 1 });
      });

      it('nothing is left behind', async () => {
        const state = (): string =>
          balancer.run(
            'nft list ruleset; iptables-save; ip6tables-save | grep -v ^#; sysctl -a 2>/dev/null | grep -E "forwarding|rp_filter|accept_local|send_redirects|accept_ra " ; ip address',
          );
        const before = state();
        datapath = await startDatapath([vipOf(family, 'tcp', 80, 8080, { address: family.own })]);
        await datapath.stop();
        assert.equal(state().replace(/^#.*\n/gm, ''), before.replace(/^#.*\n/gm, ''));
      });
    });
  }
}
