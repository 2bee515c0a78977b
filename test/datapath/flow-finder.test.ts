import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteShift, FlowRows } from '../../lib/conntrack/flow-rows.ts';
import { flowFinder } from '../../lib/datapath/flow-finder.ts';
import { createShardMemory } from '../../lib/datapath/shard-memory.ts';
import { parseFlowTuple } from '../../lib/hash/flow-tuple.ts';
import { probePacket } from '../../lib/trace/probe.ts';
import { see } from '../packet/craft.ts';
import { MemoryPath, web } from '../trace/support.ts';

const flow = (port: number) => parseFlowTuple(['tcp', `198.51.100.7:${port}`, '192.0.2.10:80']);

describe('a finder of flows', () => {
  it('copies the row of a flow, by either of its five-tuples', () => {
    const path = new MemoryPath(web);
    const { source, sourcePort, destination, destinationPort } = see(
      path.send(probePacket(flow(1), true)).bytes,
    );
    path.send(probePacket(flow(2), true));
    const [byClient] = path.snapshot(flow(1)).flows;
    const answer = parseFlowTuple(['tcp', `${destination}:${destinationPort}`, `${source}:${sourcePort}`]);
    const [byAnswer] = path.snapshot(answer).flows;
    assert.deepEqual(byAnswer, byClient);
    const { bytes } = new FlowRows(path.memory.flows, path.memory.shape);
    const rows = Array.from({ length: path.memory.shape.capacity }, (_, row) =>
      Buffer.from(bytes.subarray(row << byteShift, (row + 1) << byteShift)),
    );
    assert.equal(rows.filter((row) => row.equals(byClient!.row)).length, 1);
    assert.equal(byClient!.worker, 0);
  });

  it('finds none that is not there', () => {
    const path = new MemoryPath(web);
    path.send(probePacket(flow(1), true));
    assert.deepEqual(path.snapshot(flow(2), { ...flow(1), protocol: 'udp' }).flows, []);
  });

  it('says whose it is', () => {
    const path = new MemoryPath(web);
    path.send(probePacket(flow(1), true));
    const other = createShardMemory(path.memory.shape);
    const find = flowFinder([other, path.memory], path.key, path.book);
    assert.equal(find(flow(1))!.worker, 1);
  });
});
