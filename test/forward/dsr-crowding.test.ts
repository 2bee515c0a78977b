/** More new flows than may be remembered: all are served, by hash, and none changes its backend. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Count } from '../../lib/conntrack/flow-rows.ts';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { seeTunnel } from '../packet/tunnels.ts';
import { type Family, families } from './balancer.ts';
import { DsrBalancer, outsides } from './dsr-balancer.ts';
import { fromClient } from './dsr-rows/row.ts';

const outside = outsides[0];
/** New flows that are remembered in a second. */
const newFlows = 4;

/** A balancer whose policy says one backend and whose hash says the other. */
function make(): DsrBalancer {
  return new DsrBalancer({
    newFlows,
    pick: () => outside.endpoint,
    place: () => outside.otherEndpoint,
  });
}

function datagram(family: Family, port: number): Uint8Array {
  return fromClient(family, { protocol: 'udp', sourcePort: port, destinationPort: 53 });
}

/** Which backend a packet goes to. */
function backendOf(balancer: DsrBalancer, packet: Uint8Array): string {
  const sent = balancer.send(packet);
  return seeTunnel(sent.reason === 'sent-apart' ? balancer.sentApart()[0]! : sent.bytes).destination;
}

for (const family of families) {
  describe(`a crowd of IPv${family.version} datagrams`, () => {
    const flows = Array.from({ length: 3 * newFlows }, (_, index) => datagram(family, 20_000 + index));
    const { backend, other } = outside;

    it('goes where the policy says as far as it is remembered, and where the hash says beyond', () => {
      const balancer = make();
      const backends = flows.map((packet) => backendOf(balancer, packet));
      assert.deepEqual(backends, [
        ...new Array<string>(newFlows).fill(backend),
        ...new Array<string>(2 * newFlows).fill(other),
      ]);
      assert.equal(balancer.tracker.rows.counts[Count.unremembered], 2 * newFlows);
    });

    it('stays where it is when there is room to remember it again', () => {
      const balancer = make();
      const before = flows.map((packet) => backendOf(balancer, packet));
      for (let second = 0; second < 5; second++) {
        balancer.nowMs += 1_000;
        assert.deepEqual(
          flows.map((packet) => backendOf(balancer, packet)),
          before,
        );
      }
      assert.equal(balancer.tracker.rows.counts[Count.opened], flows.length, 'and is remembered by then');
    });

    it('leaves new flows to the policy once whoever was not remembered has been silent for long', () => {
      const balancer = make();
      for (const packet of flows) backendOf(balancer, packet);
      balancer.nowMs += defaultFlowTimeouts['udp-stream'] - 1;
      assert.equal(backendOf(balancer, datagram(family, 30_000)), other);
      balancer.nowMs += 1;
      assert.equal(backendOf(balancer, datagram(family, 30_001)), backend);
    });
  });
}
