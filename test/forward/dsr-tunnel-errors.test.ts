/** What routers say of our tunnel packets: believed if it is about one, remembered, and told to the client. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Craft, craft, see } from '../packet/craft.ts';
import { greWrap, wrap } from '../packet/tunnels.ts';
import { type Family, families } from './balancer.ts';
import { DsrBalancer, dsrSpec, mtu, type Outside, outsides } from './dsr-balancer.ts';
import { answerTo, fromClient, oneHopOn } from './dsr-rows/row.ts';

/** A tunnel packet of ours, made by others. */
function tunnelPacket(outside: Outside, inner: Uint8Array, changes = {}): Uint8Array {
  const { source, backend } = outside;
  return wrap({ source, destination: backend, protocol: 47, dontFragment: true, ...changes }, greWrap(inner));
}

interface Complaint {
  readonly icmp?: readonly [type: number, code: number];
  readonly mtu?: number;
  /** How much of the tunnel packet is quoted. */
  readonly quoted?: number;
  readonly destination?: string;
}

/** A router's error about a tunnel packet. */
function errorAbout(outside: Outside, packet: Uint8Array, what: Complaint = {}): Uint8Array {
  const { router, source, icmp } = outside;
  const reported = what.mtu ?? 1_400;
  return craft({
    source: router,
    destination: what.destination ?? source,
    protocol: 'icmp',
    icmp: what.icmp ?? icmp.tooBig,
    icmpRest: [reported >>> 24, (reported >> 16) & 255, (reported >> 8) & 255, reported & 255],
    payload: packet.subarray(0, what.quoted ?? 500),
  });
}

function make(): DsrBalancer {
  return new DsrBalancer({ spec: { ...dsrSpec(), endpointMtu: new Uint16Array(8).fill(mtu) } });
}

/** The client's packet inside. */
function inside(family: Family, what: Partial<Craft> = {}): Uint8Array {
  const payload = new Uint8Array(1_000).fill(0x61);
  return oneHopOn(fromClient(family, { flags: 'PA', payload, dontFragment: true, ...what }));
}

for (const family of families) {
  for (const outside of outsides) {
    const { endpoint, otherEndpoint, overhead } = outside;
    const same = family.version === outside.version;

    /** What goes to the client, or undefined if nothing does. */
    const told = (balancer: DsrBalancer, error: Uint8Array): Uint8Array | undefined => {
      const sent = balancer.send(error);
      const apart = balancer.sentApart();
      if (sent.reason === 'not-ours') {
        assert.deepEqual([sent.verdict, sent.bytes, apart.length], [0x01, error, 0]);
        return undefined;
      }
      assert.deepEqual(
        [sent.reason, sent.verdict, apart.length],
        same ? ['error-sent', 0x11, 0] : ['sent-apart', 0, 1],
      );
      return same ? sent.bytes : apart[0];
    };

    describe(`a router’s error about IPv${family.version} in IPv${outside.version}`, () => {
      it('that says too big is told to the client, less what the tunnel takes', () => {
        const inner = inside(family);
        const error = told(make(), errorAbout(outside, tunnelPacket(outside, inner)))!;
        const seen = see(error);
        assert.deepEqual(seen.wrong, []);
        assert.deepEqual(
          [seen.source, seen.destination, seen.icmp, seen.ttl],
          [see(inner).destination, see(inner).source, family.icmp.tooBig, 64],
        );
        assert.equal(new DataView(error.buffer).getUint32(family.version === 4 ? 24 : 44), 1_400 - overhead);
        assert.deepEqual(seen.payload, inner.subarray(0, seen.payload.length));
        assert.ok(seen.payload.length > 400);
      });

      it('is remembered for the path, until it is set anew', () => {
        const balancer = make();
        const error = errorAbout(outside, tunnelPacket(outside, inside(family)));
        told(balancer, error);
        assert.equal(balancer.spec.endpointMtu[endpoint], 1_400);
        assert.equal(balancer.spec.endpointMtu[otherEndpoint], mtu, 'of this backend alone');
        told(balancer, errorAbout(outside, tunnelPacket(outside, inside(family)), { mtu: 1_450 }));
        assert.equal(balancer.spec.endpointMtu[endpoint], 1_400, 'and never raised by routers');
      });

      it('is remembered even if too little is quoted to know the client', () => {
        const balancer = make();
        const quoted = (outside.version === 4 ? 20 : 40) + 8;
        const error = errorAbout(outside, tunnelPacket(outside, inside(family)), { quoted });
        assert.equal(told(balancer, error), undefined);
        assert.equal(balancer.spec.endpointMtu[endpoint], 1_400);
      });

      it('that says less than every host takes is believed no further than that', () => {
        const balancer = make();
        const least = outside.version === 4 ? 576 : 1_280;
        const error = told(
          balancer,
          errorAbout(outside, tunnelPacket(outside, inside(family)), { mtu: 68 }),
        )!;
        assert.equal(balancer.spec.endpointMtu[endpoint], least);
        const inner = family.version === 6 ? Math.max(1_280, least - overhead) : least - overhead;
        assert.equal(new DataView(error.buffer).getUint32(family.version === 4 ? 24 : 44), inner);
      });

      it('that does not say what would fit is the machine’s', () => {
        const balancer = make();
        for (const nothing of outside.version === 4 ? [0] : [0, 0x10000]) {
          const error = errorAbout(outside, tunnelPacket(outside, inside(family)), { mtu: nothing });
          assert.equal(told(balancer, error), undefined);
        }
        assert.equal(balancer.spec.endpointMtu[endpoint], mtu);
      });

      it('that says there is no way is told to the client as that: its host cannot be reached', () => {
        for (const icmp of [
          [outside.icmp.unreachable, 0],
          [outside.icmp.unreachable, outside.version === 4 ? 2 : 3],
          [outside.icmp.timeExceeded, 0],
        ] as const) {
          const error = told(make(), errorAbout(outside, tunnelPacket(outside, inside(family)), { icmp }))!;
          const seen = see(error);
          assert.deepEqual(
            [seen.wrong, seen.icmp, seen.destination],
            [[], family.version === 4 ? [3, 1] : [1, 3], see(inside(family)).source],
          );
        }
      });

      it('that is about how we wrote the header is nothing to the client', () => {
        const icmps =
          outside.version === 4
            ? ([
                [3, 5],
                [12, 0],
                [4, 0],
              ] as const)
            : ([[4, 0]] as const);
        for (const icmp of icmps) {
          const error = errorAbout(outside, tunnelPacket(outside, inside(family)), { icmp });
          assert.equal(told(make(), error), undefined);
        }
      });

      it('about a packet that we cannot have sent is the machine’s', () => {
        const inner = inside(family);
        const { other } = families[family.version === 4 ? 0 : 1];
        const strange = [
          tunnelPacket(outside, inner, { source: outside.other }),
          tunnelPacket(outside, inner, { destination: outside.router }),
          tunnelPacket(outside, inner, { protocol: family.version === 4 ? 4 : 41 }),
          wrap({ source: outside.source, destination: outside.ipip, protocol: 47 }, greWrap(inner)),
          wrap(
            { source: outside.source, destination: outside.backend, protocol: 47 },
            greWrap(inner, { key: 1 }),
          ),
        ];
        const balancer = make();
        for (const packet of strange) assert.equal(told(balancer, errorAbout(outside, packet)), undefined);
        assert.ok(balancer.spec.endpointMtu.every((each) => each === mtu));
        const toNobody = inside(family, { destination: other });
        assert.equal(told(balancer, errorAbout(outside, tunnelPacket(outside, toNobody))), undefined);
      });

      it('about an error in the tunnel is told to nobody', () => {
        const inner = oneHopOn(
          craft({
            source: family.router,
            destination: family.vip,
            protocol: 'icmp',
            icmp: family.icmp.tooBig,
            payload: answerTo(family),
          }),
        );
        assert.equal(told(make(), errorAbout(outside, tunnelPacket(outside, inner))), undefined);
      });

      it('in fragments is the machine’s', () => {
        const whole = errorAbout(outside, tunnelPacket(outside, inside(family)));
        const payload = whole.subarray((outside.version === 4 ? 20 : 40) + 8);
        const first = craft({
          source: outside.router,
          destination: outside.source,
          protocol: 'icmp',
          icmp: outside.icmp.tooBig,
          icmpRest: [0, 0, 5, 120],
          payload,
          fragment: { id: 4, from: 0, to: 400 },
        });
        assert.equal(told(make(), first), undefined);
      });

      it('is bounded in number, for each client', () => {
        const balancer = make();
        const error = errorAbout(outside, tunnelPacket(outside, inside(family)));
        const answers = Array.from({ length: 10 }, () => told(balancer, error) !== undefined);
        assert.deepEqual(answers, [...new Array<boolean>(8).fill(true), false, false]);
      });
    });
  }
}

describe('a router’s error about IPv4 that may be cut up', () => {
  for (const outside of outsides) {
    it(`changes how it is sent, and the client need not know, over IPv${outside.version}`, () => {
      const [family] = families;
      const balancer = make();
      const inner = inside(family, { dontFragment: false });
      assert.equal(balancer.send(errorAbout(outside, tunnelPacket(outside, inner))).reason, 'not-ours');
      assert.equal(balancer.spec.endpointMtu[outside.endpoint], 1_400);
    });
  }
});

describe('several services with the same backend', () => {
  it('learn its path together', () => {
    const [outside] = outsides;
    const spec = dsrSpec();
    const endpointMtu = new Uint16Array(10).fill(mtu);
    const again = { ...spec.endpoints[0]!, number: 9, source: '10.0.1.3' };
    const balancer = new DsrBalancer({
      spec: { ...spec, endpoints: [...spec.endpoints, again], endpointMtu },
    });
    for (const source of ['10.0.1.2', '10.0.1.3']) {
      endpointMtu.fill(mtu);
      const packet = tunnelPacket(outside, inside(families[0]), { source });
      assert.equal(balancer.send(errorAbout(outside, packet, { destination: source })).reason, 'error-sent');
      assert.deepEqual([endpointMtu[1], endpointMtu[9], endpointMtu[2]], [1_400, 1_400, mtu]);
    }
  });
});
