/** The ways to a backend: IP in IP, varied sources, a mark; and checks of our own, which choose theirs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Count } from '../../lib/conntrack/flow-rows.ts';
import { seeTunnel } from '../packet/tunnels.ts';
import { families } from './balancer.ts';
import { DsrBalancer, l2Endpoint, l2Mark, outsides } from './dsr-balancer.ts';
import { fromClient, oneHopOn } from './dsr-rows/row.ts';

/** What a packet is sent as, wherever that is. */
function tunnelled(balancer: DsrBalancer, packet: Uint8Array): Uint8Array {
  const sent = balancer.send(packet);
  return sent.reason === 'sent-apart' ? balancer.sentApart()[0]! : sent.bytes;
}

for (const family of families) {
  for (const outside of outsides) {
    describe(`IP in IP, IPv${family.version} in IPv${outside.version}, from a block of addresses`, () => {
      const { ipipEndpoint, ipip, block } = outside;
      const make = () => new DsrBalancer({ pick: () => ipipEndpoint });
      const flow = (port: number, what = {}) => fromClient(family, { sourcePort: port, ...what });
      const sourceOf = (balancer: DsrBalancer, packet: Uint8Array) =>
        seeTunnel(tunnelled(balancer, packet)).source;

      it('carries the packet, to the byte but for its time to live', () => {
        const packet = flow(40_000, { payload: 'odd', trafficClass: 0xb9 });
        const seen = seeTunnel(tunnelled(make(), packet));
        assert.deepEqual(
          [seen.encapsulation, seen.destination, seen.trafficClass, seen.ttl],
          ['ipip', ipip, 0xb9, 64],
        );
        assert.deepEqual(seen.inner, oneHopOn(packet));
      });

      it('comes from the same address for all packets of a flow', () => {
        const balancer = make();
        const sources = ['S', 'A', 'PA', 'FA'].map((flags) => sourceOf(balancer, flow(40_000, { flags })));
        assert.equal(new Set(sources).size, 1);
      });

      it('comes from every address of the block over many flows, and from no other', () => {
        const balancer = make();
        const sources = new Set(
          Array.from({ length: 200 }, (_, index) => sourceOf(balancer, flow(20_000 + index))),
        );
        const whole = Array.from({ length: 16 }, (_, index) =>
          outside.version === 4 ? `10.9.0.${16 + index}` : `fd09::${(16 + index).toString(16)}`,
        );
        assert.ok(whole.includes(block));
        assert.deepEqual([...sources].sort(), whole.sort());
      });
    });
  }

  describe(`a backend on the same link, IPv${family.version}`, () => {
    it('gets the packet as it came, by a mark', () => {
      const packet = fromClient(family, { ttl: 1, payload: new Uint8Array(4_000) });
      const sent = new DsrBalancer({ pick: () => l2Endpoint }).send(packet);
      assert.deepEqual([sent.reason, sent.verdict, sent.mark], ['marked', 0x21, l2Mark]);
      assert.deepEqual(sent.bytes, packet);
    });
  });

  for (const outside of outsides) {
    describe(`a check of our own over IPv${family.version}, to a backend over IPv${outside.version}`, () => {
      const own = outsides.find(({ version }) => version === family.version)!;
      const check = (endpoint: number, what = {}) =>
        fromClient(family, { source: own.source, sourcePort: outside.firstProbePort + endpoint, ...what });

      it('goes to the backend that it is about, whatever its health, the policy and the hash', () => {
        const balancer = new DsrBalancer({ pick: () => 7 });
        for (const [endpoint, address] of [
          [outside.endpoint, outside.backend],
          [outside.otherEndpoint, outside.other],
        ] as const) {
          balancer.spec.endpointDown[endpoint] = 1;
          for (const flags of ['S', 'A', 'FA']) {
            const packet = check(endpoint, { flags });
            const seen = seeTunnel(tunnelled(balancer, packet));
            assert.equal(seen.destination, address);
            assert.deepEqual(seen.inner, oneHopOn(packet));
          }
        }
      });

      it('is no flow, and no traffic of the service', () => {
        const balancer = new DsrBalancer();
        tunnelled(balancer, check(outside.endpoint));
        assert.equal(balancer.tracker.rows.counts[Count.opened], 0);
        assert.ok(balancer.counters.vipTraffic.every((count) => count === 0));
      });

      it('goes over to another backend as soon as its port is given to that', () => {
        const balancer = new DsrBalancer();
        balancer.spec.probes.endpoints[0] = outside.otherEndpoint;
        assert.equal(seeTunnel(tunnelled(balancer, check(0))).destination, outside.other);
      });

      it('is dropped when its port is nobody’s', () => {
        assert.equal(new DsrBalancer().send(check(0)).reason, 'no-backend');
      });

      it('is a client like any other from an address that is not ours', () => {
        const balancer = new DsrBalancer({ pick: () => outside.otherEndpoint });
        const packet = check(outside.endpoint, { source: family.client });
        assert.equal(seeTunnel(tunnelled(balancer, packet)).destination, outside.other);
        assert.equal(balancer.tracker.rows.counts[Count.opened], 1);
      });
    });
  }
}
