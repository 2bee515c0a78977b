/**
 * A way to a backend over IPv6 that takes 1300 bytes, which leaves a tunnel 1256: fewer than the 1280 that every path of
 * IPv6 has to take. In the network of dsr-support.ts, to `one`; what fits is learnt from the router's ICMP alone.
 *
 *   client ──1500── router ──1500── balancer ══1500══ router ══1300══ one
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readCapture, startCapture } from '../support/capture.ts';
import { inside } from '../support/inside-netns.ts';
import { scratch } from '../support/scratch.ts';
import type { Sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import {
  dsrNetwork,
  edgeConfiguration,
  type Peers,
  ports,
  startEdge,
  startPeers,
  url,
} from './dsr-support.ts';
import { python } from './nat-support.ts';

const mtu = 1_300;
const size = 500_003;
const hash = createHash('sha256').update(new Uint8Array(size)).digest('hex');
/** Of UDP's payload: with 48 bytes of headers, up to 1280. */
const sizes = [1, 1_200, 1_208, 1_209, 1_220, 1_232];

const network = inside(import.meta.url, 'balancer', dsrNetwork);
if (network !== undefined) {
  const client = network.host('client');
  describe('an IPv6 path of 1300 bytes', { skip: missing('tshark', 'tcpdump') }, () => {
    const directory = scratch();
    let peers: Peers;
    let edge: Sluice;

    before(async () => {
      network.host('router').run(`ip link set one mtu ${mtu}`);
      network.host('one').run(`ip link set router mtu ${mtu}`);
      peers = await startPeers(network, ['one'], 'gre');
      edge = await startEdge(edgeConfiguration({ names: ['one'] }));
    });
    after(async () => {
      await edge.stop();
      await peers.stop();
      directory.remove();
    });

    it('takes packets of 1280 bytes in a tunnel, cut up outside where the next one is needed', async () => {
      const vip = '2001:db8::10';
      const file = join(directory.path, 'one.pcap');
      const capture = await startCapture(network.host('one'), 'router', file, 'ip6');
      const echoed = python(
        client,
        `s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect(("${vip}", ${ports.udp}))
for size in (${sizes.join(', ')}):
    for turn in range(5):
        try:
            s.send(b"x" * size)
            print(len(s.recv(65536).split(b" ")[-1]))
            break
        except OSError:
            # The first that is too long is lost, and sluice is told.
            if turn == 4: raise`,
      );
      assert.deepEqual(echoed.trim().split('\n').map(Number), sizes);
      await capture.stop();
      assert.ok(readCapture(file, 'ipv6.dst == fd03::2 && ipv6.fraghdr', 'frame.number').length >= 2);
      assert.deepEqual(readCapture(file, `frame.len > ${mtu + 14}`, 'frame.number'), []);
    });

    for (const vip of ['2001:db8::10', '2001:db8::11', '192.0.2.11']) {
      it(`takes an upload to ${vip}`, () => {
        const sum = client.run(
          `head -c ${size} /dev/zero | curl -gsS --max-time 40 -T - -H Expect: ${url(vip)}/put`,
        );
        assert.equal(sum, hash);
      });
    }
  });
}
