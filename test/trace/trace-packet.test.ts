import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NatVip } from '../../lib/datapath/nat/settings.ts';
import type { FlowTuple } from '../../lib/hash/flow-key.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import type { TraceView } from '../../lib/model/trace.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { type Subject, tracePacket } from '../../lib/trace/trace-packet.ts';
import { see } from '../packet/craft.ts';
import { backend, dns, MemoryPath, web } from './support.ts';

const subject: Subject = { instance: 'edge', running: true, mode: 'nat', backends: [] };

const toWeb = parseFlowTuple(['tcp', '198.51.100.7:40000', '192.0.2.10:80']);
const toDns = parseFlowTuple(['udp', '198.51.100.7:40000', '192.0.2.10:53']);

function trace(path: MemoryPath, tuple: FlowTuple, of: Subject = subject): TraceView {
  return tracePacket(path.snapshot(tuple), tuple, of)!;
}

const ends = ({ rewriting }: TraceView) => [rewriting!.after!.source, rewriting!.after!.destination];

describe('the trace of a flow that is not there', () => {
  it('tells where it would go, step by step', () => {
    const view = trace(new MemoryPath(web), toWeb);
    const { rewriting, candidates, placement, ...rest } = view;
    const { backend: to, slot } = placement!;
    assert.deepEqual(rest, {
      protocol: 'tcp',
      client: '198.51.100.7:40000',
      vip: '192.0.2.10:80',
      instance: 'edge',
      running: true,
      mode: 'nat',
      service: 'web',
      epoch: 1,
      rule: { selects: 'tcp to 192.0.2.10 port 80', worker: 0, workers: 1, queue: 20_480, tool: 'nft' },
      listener: null,
      flow: null,
      backend: to,
      verdict: 'rewritten',
      reason: 'forwarded',
    });
    assert.ok(slot! >= 0 && slot! < 65_537);
    assert.equal(rewriting!.examplePort, true);
    assert.deepEqual(
      rewriting!.changes.map(({ field }) => field),
      [
        'header checksum',
        'source address',
        'destination address',
        'source port',
        'destination port',
        'TCP checksum',
      ],
    );
    assert.deepEqual(
      candidates.map(({ name, candidate, state }) => [name, candidate, state]),
      [
        ['a', true, 'up'],
        ['b', true, 'up'],
        ['c', true, 'up'],
      ],
    );
    assert.equal(
      candidates.reduce((sum, { slots }) => sum + slots!, 0),
      65_537,
    );
  });

  it('is where the worker then sends it, whoever the client is', () => {
    const path = new MemoryPath({ ...web, balance: 'maglev' });
    const client = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).filter(([address]) => {
      const first = Number(address.split('.')[0]);
      return first > 0 && first < 224;
    });
    fc.assert(
      fc.property(client, ([address, port]) => {
        const tuple = { ...toWeb, clientAddress: address, clientPort: port };
        const view = trace(path, tuple);
        const { bytes, reason } = path.send(probePacket(tuple, true));
        assert.equal(view.reason, reason);
        if (reason !== 'forwarded') return;
        const { destination, destinationPort } = see(bytes);
        assert.equal(ends(view)[1], `${destination}:${destinationPort}`);
      }),
    );
  });

  it('is nothing that happens to the path', () => {
    const path = new MemoryPath(web, dns);
    path.send(probePacket(toWeb, true));
    const before = path.bytes();
    for (const tuple of [toWeb, toDns, { ...toWeb, clientPort: 1 }]) trace(path, tuple);
    assert.ok(path.bytes().equals(before));
  });

  it('is the same each time it is asked for', () => {
    for (const balance of ['maglev', 'source', 'round-robin', 'random', 'two-choices'] as const) {
      const path = new MemoryPath({ ...web, balance });
      assert.deepEqual(trace(path, toWeb), trace(path, toWeb));
    }
  });

  it('says whether it depends on the moment', () => {
    const settled = (vip: NatVip) => trace(new MemoryPath(vip), toWeb).placement!.settled;
    assert.equal(settled(web), true);
    assert.equal(settled({ ...web, balance: 'source' }), true);
    for (const balance of ['round-robin', 'random', 'two-choices', 'least-connections'] as const) {
      assert.equal(settled({ ...web, balance }), false, balance);
      assert.equal(settled({ ...web, balance, backends: [backend('a')] }), true, balance);
    }
  });

  it('looks at what backends carry, where the policy does', () => {
    const path = new MemoryPath({ ...web, balance: 'least-connections' });
    const carries = (port: number) =>
      see(path.send(probePacket({ ...toWeb, clientPort: port }, true)).bytes).destination;
    const busy = new Set([carries(1), carries(2)]);
    const { backend: idle } = trace(path, toWeb);
    assert.ok(!busy.has(idle!.split(':')[0]!), `${idle} is not one of ${[...busy]}`);
  });

  it('shows who takes no new flows, and what the instance says of them', () => {
    const drained = {
      ...web,
      backends: [backend('a', { weight: 0 }), backend('b', { up: false }), backend('c')],
    };
    const health = { last: 'connection refused', sinceMs: 5 };
    const view = {
      service: 'web',
      name: 'b',
      address: '10.0.0.3:8080',
      weight: 4,
      state: 'down',
      health,
    } as const;
    const backends = [view as unknown as Subject['backends'][number]];
    const { candidates, placement } = trace(new MemoryPath(drained), toWeb, { ...subject, backends });
    assert.deepEqual(
      candidates.map(({ candidate, state, weight, slots, health: last }) => [
        candidate,
        state,
        weight,
        slots,
        last,
      ]),
      [
        [false, 'draining', 0, 0, 'unchecked'],
        [false, 'down', 4, 0, 'connection refused'],
        [true, 'up', 1, 65_537, 'unchecked'],
      ],
    );
    assert.equal(placement!.backend, '10.0.0.4:8080');
  });

  it('ends at a RST, or nowhere, when nobody is up', () => {
    const down = { ...web, backends: [backend('a', { up: false })] };
    const refused = trace(new MemoryPath(down), toWeb);
    assert.deepEqual([refused.verdict, refused.reason, refused.backend], ['rewritten', 'reset-sent', null]);
    assert.deepEqual(ends(refused), ['192.0.2.10:80', '198.51.100.7:40000']);
    const dropped = trace(new MemoryPath({ ...down, whenAllDown: 'drop' }), toWeb);
    assert.deepEqual([dropped.verdict, dropped.reason], ['drop', 'no-backend']);
    assert.deepEqual([dropped.rewriting!.after, dropped.rewriting!.changes], [null, []]);
    assert.equal(dropped.placement!.backend, null);
  });

  it('keeps the client where there is no SNAT', () => {
    const view = trace(new MemoryPath({ ...web, snat: false }), toWeb);
    assert.equal(ends(view)[0], '198.51.100.7:40000');
    assert.equal(view.rewriting!.examplePort, false);
  });

  it('is none where no rule looks', () => {
    const path = new MemoryPath(web);
    for (const change of [{ vipPort: 81 }, { vipAddress: '192.0.2.11' }, { protocol: 'udp' as const }]) {
      const tuple = { ...toWeb, ...change };
      assert.equal(tracePacket(path.snapshot(tuple), tuple, subject), undefined);
    }
  });
});

describe('the trace of a live flow', () => {
  const begun = (vip: NatVip, tuple: FlowTuple) => {
    const path = new MemoryPath(vip);
    const { bytes } = path.send(probePacket(tuple, true));
    const { source, sourcePort, destination, destinationPort } = see(bytes);
    path.nowMs += 2_000;
    return { path, source: `${source}:${sourcePort}`, destination: `${destination}:${destinationPort}` };
  };

  it('tells how it is, and the very bytes that its next packet becomes', () => {
    for (const [vip, tuple] of [
      [web, toWeb],
      [dns, toDns],
    ] as const) {
      const { path, source, destination } = begun(vip, tuple);
      const view = trace(path, tuple);
      assert.deepEqual(ends(view), [source, destination]);
      assert.equal(view.rewriting!.examplePort, false);
      const { flow } = view;
      assert.deepEqual(
        [flow!.source, flow!.backend, flow!.worker, flow!.fromClient],
        [source, destination, 0, true],
      );
      assert.deepEqual([flow!.ageMs, flow!.idleMs, flow!.packetsIn, flow!.packetsOut], [2_000, 2_000, 1, 0]);
      assert.equal(flow!.state, tuple.protocol === 'tcp' ? 'syn-sent' : 'udp-new');
      const next = path.send(Buffer.from(view.rewriting!.before.bytes, 'hex'));
      assert.equal(Buffer.from(next.bytes).toString('hex'), view.rewriting!.after!.bytes);
    }
  });

  it('stays where it is, whoever would get it now', () => {
    const { path, destination } = begun(web, toWeb);
    const others = web.backends.map((each) =>
      `${each.address}:8080` === destination ? { ...each, weight: 0 } : each,
    );
    path.publish({ ...web, backends: others });
    const view = trace(path, toWeb);
    assert.equal(view.backend, destination);
    assert.notEqual(view.placement!.backend, destination);
    assert.equal(view.epoch, 2);
  });

  it('is known by its answers too', () => {
    const { path, source, destination } = begun(web, toWeb);
    const answer = parseFlowTuple(['tcp', destination, source]);
    const view = trace(path, answer);
    assert.deepEqual(ends(view), ['192.0.2.10:80', '198.51.100.7:40000']);
    const { flow, service, placement } = view;
    assert.deepEqual(
      [flow!.fromClient, flow!.client, flow!.vip],
      [false, '198.51.100.7:40000', '192.0.2.10:80'],
    );
    assert.deepEqual([flow!.source, service, placement], [source, 'web', null]);
  });

  it('is reset when its backend is down, and over UDP goes to another', () => {
    const gone = (vip: NatVip, tuple: FlowTuple) => {
      const { path, destination } = begun(vip, tuple);
      const backends = vip.backends.map((each) => ({ ...each, up: `${each.address}:8080` !== destination }));
      path.publish({ ...vip, backends });
      return { view: trace(path, tuple), destination };
    };
    const tcp = gone(web, toWeb);
    assert.deepEqual([tcp.view.reason, tcp.view.backend], ['reset-sent', null]);
    const udp = gone(dns, toDns);
    assert.equal(udp.view.reason, 'forwarded');
    assert.equal(udp.view.flow!.backend, udp.destination);
    assert.notEqual(udp.view.backend, udp.destination);
    assert.equal(udp.view.rewriting!.examplePort, true);
  });

  it('is an answer to nobody when its flow is gone', () => {
    const answer = parseFlowTuple(['tcp', '10.0.0.2:8080', '10.0.0.1:61000']);
    const { verdict, reason, flow, service } = trace(new MemoryPath(web), answer);
    assert.deepEqual([verdict, reason, flow, service], ['drop', 'no-flow', null, null]);
  });
});
