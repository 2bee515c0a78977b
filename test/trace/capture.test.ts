import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import { CaptureRun, type Settled } from '../../lib/trace/capture.ts';
import { FlowsInCapture } from '../../lib/trace/flows-in-capture.ts';
import { LinkType } from '../../lib/trace/link-layer.ts';
import type { Frame } from '../../lib/trace/pcap.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { type Craft, craft, see } from '../packet/craft.ts';
import { dns, MemoryPath, web } from './support.ts';

const raw = { littleEndian: true, nanoseconds: false, linkType: LinkType.raw };

function frame(bytes: Uint8Array, timeMs = 0, wireLength = bytes.length): Frame {
  return { timeMs, bytes, wireLength, seconds: 0, fraction: 0 };
}

const client = { source: '198.51.100.7', destination: '192.0.2.10', sourcePort: 40_000, destinationPort: 80 };
const packet = (change: Partial<Craft>): Uint8Array => craft({ ...client, ...change });

function run(path: MemoryPath, ...frames: readonly Frame[]): readonly Settled[] {
  const capture = new CaptureRun([path.snapshot()], raw);
  return [...frames.flatMap((each) => capture.send(each)), ...capture.end()];
}

const reasons = (settled: readonly Settled[]) =>
  settled.map(({ told }) => `${told.number} ${told.verdict} ${told.reason}`);

describe('a capture that is run through', () => {
  it('opens flows and follows them, both ways', () => {
    const path = new MemoryPath(web);
    const capture = new CaptureRun([path.snapshot()], raw);
    const [syn] = capture.send(frame(packet({ flags: 'S' })));
    const { source, sourcePort, destination, destinationPort } = see(syn!.frames[0]!);
    assert.equal(syn!.told.after!.destination, `${destination}:${destinationPort}`);
    const answer = {
      source: destination,
      sourcePort: destinationPort!,
      destination: source,
      destinationPort: sourcePort!,
    };
    const [synAck] = capture.send(frame(craft({ ...answer, flags: 'SA' })));
    assert.deepEqual(synAck!.told.after, { source: '192.0.2.10:80', destination: '198.51.100.7:40000' });
    const [ack] = capture.send(frame(packet({ flags: 'A' })));
    assert.deepEqual(see(ack!.frames[0]!).destination, destination);
    assert.deepEqual([syn!.told.number, synAck!.told.number, ack!.told.number], [1, 2, 3]);
  });

  it('begins with the flows that are there', () => {
    const path = new MemoryPath(web);
    const flow = parseFlowTuple(['198.51.100.7:40000', '192.0.2.10:80']);
    const { bytes } = path.send(probePacket(flow, true));
    const ack = frame(packet({ flags: 'A' }));
    assert.deepEqual(reasons(run(path, ack)), ['1 drop no-flow']);
    const found = new FlowsInCapture(raw);
    found.add(ack);
    const capture = new CaptureRun([path.snapshot(...found.tuples)], raw);
    const [settled] = capture.send(ack);
    const [one, other] = [see(bytes), see(settled!.frames[0]!)];
    assert.deepEqual([other.source, other.sourcePort], [one.source, one.sourcePort]);
  });

  it('lets pass what no rule takes, whole frames that are no packets too', () => {
    const [other, junk] = run(
      new MemoryPath(web),
      frame(packet({ destinationPort: 81 })),
      frame(new Uint8Array(0)),
    );
    assert.deepEqual(
      [other!.told.verdict, other!.told.reason, other!.frames[0]!.length],
      ['accept', 'not-ours', 40],
    );
    assert.equal(junk!.told.protocol, null);
  });

  it('drops what the path would drop, and what was cut off', () => {
    const settled = run(
      new MemoryPath(web),
      frame(packet({ flags: 'A' })),
      frame(packet({ flags: 'SF' })),
      frame(packet({ flags: 'S' }), 0, 1_500),
    );
    assert.deepEqual(reasons(settled), ['1 drop no-flow', '2 drop bad-flags', '3 drop cut-off']);
    assert.ok(settled.every(({ frames }) => frames.length === 0));
  });

  it('puts fragments where the first of them goes, in whatever order they come', () => {
    const datagram = {
      ...client,
      destinationPort: 53,
      protocol: 'udp',
      payload: new Uint8Array(64),
    } as const;
    const first = frame(craft({ ...datagram, fragment: { id: 9, from: 0, to: 40 } }));
    const later = frame(craft({ ...datagram, fragment: { id: 9, from: 40 } }), 1);
    const settled = run(new MemoryPath(dns), later, first);
    assert.deepEqual(reasons(settled), ['2 rewritten forwarded', '1 rewritten held']);
    const [one, other] = settled.map(({ frames: [bytes] }) => see(bytes!));
    assert.equal(one!.destination, other!.destination);
  });

  it('tells of fragments that have waited in vain', () => {
    const datagram = {
      ...client,
      destinationPort: 53,
      protocol: 'udp',
      payload: new Uint8Array(64),
    } as const;
    const later = frame(craft({ ...datagram, fragment: { id: 9, from: 40 } }));
    assert.deepEqual(reasons(run(new MemoryPath(dns), later)), ['1 hold held']);
    const next = frame(packet({ protocol: 'udp', destinationPort: 53 }), 1_000);
    assert.deepEqual(reasons(run(new MemoryPath(dns), later, next)), [
      '2 rewritten forwarded',
      '1 drop held',
    ]);
  });

  it('lets time pass as it did, though a clock went back', () => {
    const path = new MemoryPath(dns);
    const query = packet({ protocol: 'udp', destinationPort: 53 });
    const settled = run(path, frame(query, 5_000), frame(query, 4_000), frame(query, 1_000_000));
    const ports = settled.map(({ frames: [bytes] }) => see(bytes!).sourcePort);
    // Half an hour later the flow is another one.
    assert.deepEqual([ports[1], settled[2]!.told.timeMs], [ports[0], 995_000]);
    assert.notEqual(ports[2], ports[0]);
  });
});

describe('the flows in a capture', () => {
  it('are those of its packets, and of packets in errors, each once', () => {
    const flows = new FlowsInCapture(raw);
    const quoted = packet({
      source: '10.0.0.1',
      sourcePort: 61_000,
      destination: '10.0.0.2',
      destinationPort: 8_080,
    });
    const error = { source: '10.0.0.2', destination: '10.0.0.1', protocol: 'icmp', payload: quoted } as const;
    for (const bytes of [
      packet({ flags: 'S' }),
      packet({ flags: 'A' }),
      packet({ protocol: 'icmp' }),
      craft({ ...error, icmp: [3, 1], icmpRest: [0, 0, 0, 0] }),
      Uint8Array.of(1, 2, 3),
    ]) {
      flows.add(frame(bytes));
    }
    assert.deepEqual(flows.tuples, [
      parseFlowTuple(['198.51.100.7:40000', '192.0.2.10:80']),
      parseFlowTuple(['10.0.0.2:8080', '10.0.0.1:61000']),
    ]);
  });
});
