/** ICMP errors about packets of flows, RFC 5508 §4: both directions, both families, with and without SNAT. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Craft, craft, see } from '../packet/craft.ts';
import { Balancer, type Family, families } from './balancer.ts';

type Transport = 'tcp' | 'udp';

interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** The four faces of the flow that a client opens. */
function faces(
  family: Family,
  protocol: Transport,
  snat: boolean,
): Record<'in' | 'out' | 'answer' | 'back', Ends> {
  const clientPort = 40_000;
  const vipPort = { tcp: snat ? 80 : 81, udp: snat ? 53 : 54 }[protocol];
  const [source, sourcePort] = snat ? [family.snat, 2000] : [family.client, clientPort];
  const { client, vip, backend } = family;
  return {
    in: { source: client, destination: vip, sourcePort: clientPort, destinationPort: vipPort },
    out: { source, destination: backend, sourcePort, destinationPort: 9000 },
    answer: { source: backend, destination: source, sourcePort: 9000, destinationPort: sourcePort },
    back: { source: vip, destination: client, sourcePort: vipPort, destinationPort: clientPort },
  };
}

function openFlow(family: Family, protocol: Transport, snat: boolean): Balancer {
  const balancer = new Balancer();
  const sent = balancer.send(craft({ ...faces(family, protocol, snat).in, protocol, flags: 'S' }));
  assert.equal(sent.reason, 'forwarded');
  return balancer;
}

const data = 'the quoted packet, and more of it than eight bytes';

/** An error from `source` about a packet with these ends, of which `quoted` bytes of the transport are there. */
function errorAbout(
  family: Family,
  source: string,
  about: Ends,
  protocol: Transport,
  quoted: number,
  what: Partial<Craft> = {},
): Uint8Array {
  const packet = craft({ ...about, protocol, flags: 'A', sequence: 7, payload: data, ...what });
  const header = family.version === 4 ? 20 : 40;
  return craft({
    source,
    destination: about.source,
    protocol: 'icmp',
    icmp: [family.icmp.tooBig[0], family.icmp.tooBig[1]],
    icmpRest: [0, 0, 5, 0xdc],
    payload: packet.subarray(0, header + quoted),
  });
}

/** The ports of the packet that an error quotes. */
function quotedPorts(family: Family, error: Uint8Array): number[] {
  const at = family.version === 4 ? 20 : 40;
  const { payload } = see(error);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return [view.getUint16(at), view.getUint16(at + 2)];
}

for (const family of families) {
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const snat of [true, false]) {
      describe(`an ICMP error about ${protocol} over IPv${family.version}, SNAT ${snat}`, () => {
        const flow = faces(family, protocol, snat);

        it('from behind the balancer reaches the client, and quotes what that has sent', () => {
          const balancer = openFlow(family, protocol, snat);
          const error = errorAbout(family, family.router, flow.out, protocol, 8 + 20 + data.length);
          const sent = balancer.send(error);
          assert.equal(sent.reason, 'forwarded');
          const expected = errorAbout(family, family.vip, flow.in, protocol, 8 + 20 + data.length);
          assert.deepEqual(see(sent.bytes), see(expected));
          assert.deepEqual(sent.bytes, expected, 'to the byte: inner and outer checksums, MTU');
        });

        it('from before the balancer reaches the backend', () => {
          const balancer = openFlow(family, protocol, snat);
          const error = errorAbout(family, family.router, flow.back, protocol, 8 + 20 + data.length);
          const sent = balancer.send(error);
          assert.equal(sent.reason, 'forwarded');
          const source = snat ? family.snat : family.router;
          assert.deepEqual(
            sent.bytes,
            errorAbout(family, source, flow.answer, protocol, 8 + 20 + data.length),
          );
        });

        it('is translated with eight bytes of the transport, and with any more', () => {
          for (let quoted = 8; quoted <= 24; quoted++) {
            const balancer = openFlow(family, protocol, snat);
            const sent = balancer.send(errorAbout(family, family.backend, flow.out, protocol, quoted));
            assert.equal(sent.reason, 'forwarded', `${quoted} bytes`);
            assert.deepEqual(see(sent.bytes).wrong, []);
            assert.deepEqual(quotedPorts(family, sent.bytes), [flow.in.sourcePort, flow.in.destinationPort]);
          }
        });

        it('keeps a flow alive no longer and changes nothing of its state', () => {
          const balancer = openFlow(family, protocol, snat);
          const { rows } = balancer.tracker;
          const [state, seen] = [rows.stateOf(1), rows.lastSeenOf(1)];
          balancer.wait(5_000);
          assert.equal(
            balancer.send(errorAbout(family, family.router, flow.out, protocol, 8)).reason,
            'forwarded',
          );
          assert.deepEqual([rows.stateOf(1), rows.lastSeenOf(1)], [state, seen]);
        });
      });
    }
  }

  describe(`an ICMP error over IPv${family.version} that is none of ours`, () => {
    const flow = faces(family, 'tcp', true);
    const about = (ends: Ends, what: Partial<Craft> = {}) =>
      errorAbout(family, family.router, ends, 'tcp', 28, what);

    const rows: readonly [why: string, error: Uint8Array][] = [
      ['about a flow that is not', about({ ...flow.out, sourcePort: 2001 })],
      ['about another protocol', errorAbout(family, family.router, flow.out, 'udp', 8)],
      ['that came to another address than the packet it quotes left', craftForged(family)],
      ['that quotes too little', errorAbout(family, family.router, flow.out, 'tcp', 7)],
      ['that quotes a later fragment', about(flow.out, { fragment: { id: 1, from: 16 } })],
      ['that quotes a ping', quotingPing(family)],
      ['that quotes the other family', quotingOther(family)],
    ];
    for (const [why, error] of rows) {
      it(`is left alone: ${why}`, () => {
        const sent = openFlow(family, 'tcp', true).send(error);
        assert.deepEqual([sent.reason, sent.verdict], ['not-ours', 1]);
        assert.deepEqual(sent.bytes, error);
      });
    }

    it('opens no flow', () => {
      const balancer = new Balancer();
      balancer.send(about(flow.in));
      assert.equal(balancer.tracker.rows.flowsOfVip[family.firstVip], 0);
    });
  });
}

function craftForged(family: Family): Uint8Array {
  const quoted = craft({ ...faces(family, 'tcp', true).out, flags: 'A' });
  const { router, vip, icmp } = family;
  return craft({
    source: router,
    destination: vip,
    protocol: 'icmp',
    icmp: [icmp.unreachable, 0],
    payload: quoted,
  });
}

function quotingPing(family: Family): Uint8Array {
  const { router, snat, backend, icmp } = family;
  const quoted = craft({ source: snat, destination: backend, protocol: 'icmp', icmp: [icmp.echo, 0] });
  return craft({
    source: router,
    destination: snat,
    protocol: 'icmp',
    icmp: [icmp.unreachable, 0],
    payload: quoted,
  });
}

function quotingOther(family: Family): Uint8Array {
  const other = families.find(({ version }) => version !== family.version)!;
  const quoted = craft({ ...faces(other, 'tcp', true).out, flags: 'A' });
  const { router, snat, icmp } = family;
  return craft({
    source: router,
    destination: snat,
    protocol: 'icmp',
    icmp: [icmp.unreachable, 0],
    payload: quoted,
  });
}
