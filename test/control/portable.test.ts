import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromPortable, toPortable } from '../../lib/control/portable.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import { CaptureRun } from '../../lib/trace/capture.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { MemoryPath, web } from '../trace/support.ts';

describe('portable data', () => {
  it('comes out as it went in, typed arrays and all', () => {
    const shared = new Uint16Array(new SharedArrayBuffer(6));
    shared.set([1, 2, 65_535]);
    const value = {
      bytes: Uint8Array.of(0, 255),
      words: Uint32Array.of(2 ** 32 - 1),
      signed: Int32Array.of(-1),
      doubles: Float64Array.of(0.5),
      shared,
      deep: [{ text: 'array', list: [1, null, true], array: 7, empty: {} }],
    };
    assert.deepEqual(fromPortable(toPortable(value)), { ...value, shared: Uint16Array.from(shared) });
  });

  it('carries each array once', () => {
    const table = new Uint16Array(1_000);
    const text = toPortable([{ table }, { table }]);
    assert.ok(text.length < 3_000);
    const [one, other] = fromPortable<{ table: Uint16Array }[]>(text);
    assert.equal(one!.table, other!.table);
  });

  it('is a packet path that works elsewhere as it does here', () => {
    const path = new MemoryPath(web);
    const flow = parseFlowTuple(['198.51.100.7:40000', '192.0.2.10:80']);
    path.send(probePacket(flow, true));
    const snapshot = path.snapshot(flow);
    const frame = { timeMs: 0, bytes: probePacket(flow, false), wireLength: 40, seconds: 0, fraction: 0 };
    const [here, elsewhere] = [snapshot, fromPortable<typeof snapshot>(toPortable(snapshot))].map((each) =>
      new CaptureRun([each], { littleEndian: true, nanoseconds: false, linkType: 101 }).send(frame),
    );
    assert.deepEqual(here, elsewhere);
    assert.equal(here![0]!.told.reason, 'forwarded');
  });
});
