import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainStyle } from '../../lib/cli/style.ts';
import { traceLines } from '../../lib/cli/trace-text.ts';
import type { NatVip } from '../../lib/datapath/nat/settings.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import type { TraceView } from '../../lib/model/trace.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { tracePacket } from '../../lib/trace/trace-packet.ts';
import { backend, dns, MemoryPath, web } from '../trace/support.ts';

const lines = (view: TraceView): string[] => traceLines(view, plainStyle);
const toWeb = parseFlowTuple(['tcp', '198.51.100.7:40000', '192.0.2.10:80']);
const subject = { instance: 'edge-1', running: true, mode: 'nat', backends: [] } as const;

function traced(path: MemoryPath, tuple = toWeb): TraceView {
  return tracePacket(path.snapshot(tuple), tuple, subject)!;
}

describe('a trace in words', () => {
  it('is read from the first packet to the last byte', () => {
    const text = lines(traced(new MemoryPath(web)));
    assert.equal(
      `${text.join('\n')}\n`,
      `tcp 198.51.100.7:40000 → 192.0.2.10:80

instance  edge-1, which runs
rule      tcp to 192.0.2.10 port 80: queue 20480, worker 0 of 1 (nft)
service   web, mode nat, maglev, epoch 1
flow      not tracked: shown is the SYN that would begin it
slot      28,194 of 65,537
backend   10.0.0.3:8080
before    198.51.100.7:40000 → 192.0.2.10:80
after     10.0.0.1:61000 → 10.0.0.3:8080
          the source port is an example: it gets the next that is free
verdict   rewritten and sent on (forwarded)

   BACKEND  ADDRESS        WEIGHT  SLOTS  STATE  NEW FLOWS  LAST CHECK
   a        10.0.0.2:8080       1  33.3%  up     yes        unchecked
▸  b        10.0.0.3:8080       1  33.3%  up     yes        unchecked
   c        10.0.0.4:8080       1  33.3%  up     yes        unchecked

before      0  45 00 00 28 00 00 40 00 40 06 4e 8b c6 33 64 07
after          45 00 00 28 00 00 40 00 40 06 26 cd 0a 00 00 01
                                             ^^ ^^ ^^ ^^ ^^ ^^
               header checksum 0x4e8b → 0x26cd
               source address 198.51.100.7 → 10.0.0.1
before     16  c0 00 02 0a 9c 40 00 50 00 00 00 00 00 00 00 00
after          0a 00 00 03 ee 48 1f 90 00 00 00 00 00 00 00 00
               ^^    ^^ ^^ ^^ ^^ ^^ ^^
               destination address 192.0.2.10 → 10.0.0.3
               source port 40000 → 61000
               destination port 80 → 8080
before     32  50 02 ff ff 27 0d 00 00
after          50 02 ff ff 8e 06 00 00
                           ^^ ^^
               TCP checksum 0x270d → 0x8e06
`,
    );
    assert.ok(text.every((line) => line.length <= 80));
  });

  it('tells how a live flow is, and where a new one would go', () => {
    const path = new MemoryPath(web);
    path.send(probePacket(toWeb, true));
    path.nowMs += 90_000;
    path.publish({ ...web, backends: [backend('a'), backend('b', { weight: 0 }), backend('c')] });
    const text = lines(traced(path)).join('\n');
    assert.match(text, /\nflow {6}syn-sent, 1\.5m old, idle for 1\.5m, 1 packet in, 0 out\n/);
    assert.match(text, /\n {10}its backend sees 10\.0\.0\.1:61\d{3}\n/);
    assert.match(
      text,
      /\nslot .*; a new flow would go to 10\.0\.0\.[24]:8080\nbackend {3}10\.0\.0\.3:8080\n/,
    );
    assert.doesNotMatch(text, /example/);
  });

  it('says that a policy depends on the moment', () => {
    const text = lines(traced(new MemoryPath({ ...web, balance: 'round-robin' }))).join('\n');
    assert.match(text, /\npolicy {4}depends on the moment: now 10\.0\.0\.2:8080, next another\n/);
    assert.doesNotMatch(text, /SLOTS/);
  });

  it('shows the packet alone that goes no further, and says why', () => {
    const down: NatVip = { ...dns, whenAllDown: 'drop', backends: [backend('a', { up: false })] };
    const text = lines(traced(new MemoryPath(down), { ...toWeb, protocol: 'udp', vipPort: 53 })).join('\n');
    assert.match(text, /\nslot .*: nobody is up\npacket {4}198\.51\.100\.7:40000 → 192\.0\.2\.10:53\n/);
    assert.match(text, /\nverdict {3}dropped \(no-backend\)\n {10}no backend takes new flows\n/);
    assert.match(text, /\npacket {6}0 {2}45 00 00 1c /);
    assert.doesNotMatch(text, /\^/);
  });

  it('leaves room for what a tunnel adds', () => {
    const view = traced(new MemoryPath(web));
    const { before } = view.rewriting!;
    const outer = `45000040000000004 02f0000${'00'.repeat(8)}00000800`.replace(' ', '');
    const rewriting = {
      before,
      after: { ...before, bytes: `${outer}${before.bytes}` },
      changes: [
        {
          field: 'outer source address',
          offset: { before: null, after: 12 },
          length: 4,
          before: null,
          after: '10.0.0.1',
        },
      ],
      encapsulation: { kind: 'gre', source: '10.0.0.1', destination: '10.0.0.2' },
      further: [before],
      mark: null,
      examplePort: false,
    };
    const text = lines({ ...view, rewriting });
    assert.ok(text.includes('          in gre 10.0.0.1 → 10.0.0.2'));
    assert.ok(text.includes('          and 1 further packet: it is sent in parts'));
    assert.ok(text.some((line) => line.startsWith('after       0  45 00 00 40 ')));
    assert.ok(text.includes('               outer source address 10.0.0.1'));
    // The inner packet is the same from its first byte on.
    assert.equal(text.filter((line) => line.startsWith('before ')).length, 2);
  });

  it('tells of a mark', () => {
    const view = traced(new MemoryPath(web));
    const { before } = view.rewriting!;
    const rewriting = { ...view.rewriting!, after: before, changes: [], mark: 0x51cf0001 };
    const text = lines({ ...view, rewriting, verdict: 'mark', reason: 'marked' });
    assert.ok(text.includes('          with the mark 0x51cf0001, by which it is routed'));
    assert.ok(text.includes('verdict   goes on with a mark, which routes it (marked)'));
    assert.ok(text.every((line) => !line.startsWith('before  ') || !line.includes('45 00')));
  });

  it('is short where nobody takes the flow', () => {
    const view = traced(new MemoryPath(web));
    const nobody: TraceView = {
      ...view,
      running: false,
      mode: null,
      service: null,
      epoch: null,
      rule: null,
      placement: null,
      backend: null,
      candidates: [],
      rewriting: null,
      verdict: 'accept',
      reason: 'not-ours',
    };
    assert.deepEqual(lines(nobody), [
      'tcp 198.51.100.7:40000 → 192.0.2.10:80',
      '',
      'instance  edge-1, as it is configured: every backend up, no flow tracked',
      'verdict   goes on as if sluice were not there (not-ours)',
    ]);
  });
});
