/**
 * Finds live flows in the memory of workers that go on meanwhile. It only reads: in the very index that they look
 * packets up in, under the same key. A flow that is moved at this moment may be missed.
 */
import type { AddressBook } from '../conntrack/address-book.ts';
import { byteShift, FlowRows } from '../conntrack/flow-rows.ts';
import { type HashKey, TupleHash } from '../conntrack/half-siphash.ts';
import { KeyIndex } from '../conntrack/key-index.ts';
import { FlowState } from '../conntrack/states.ts';
import { type FlowTuple, protocolNumber } from '../hash/flow-key.ts';
import { writeAddress } from '../packet/address.ts';
import type { ShardMemory } from './shard-memory.ts';

/** A flow as it was when it was found. */
export interface FlowCopy {
  /** Whose it is. */
  readonly worker: number;
  /** The bytes of its row: see conntrack/flow-rows.ts. */
  readonly row: Uint8Array;
  /** The tick of its creation. */
  readonly created: number;
}

/** Copies the flow of a five-tuple, in whichever direction that is; undefined if there is none. */
export type FindFlow = (tuple: FlowTuple) => FlowCopy | undefined;

/** `book` says what numbers in the rows mean. */
export function flowFinder(memories: readonly ShardMemory[], key: HashKey, book: AddressBook): FindFlow {
  const tables = memories.map(({ flows, shape }) => {
    const rows = new FlowRows(flows, shape);
    return { rows, index: new KeyIndex(rows, new TupleHash(key), book, true) };
  });
  const words = new Int32Array(8);
  return ({ protocol, clientAddress, clientPort, vipAddress, vipPort }) => {
    if (!writeAddress(clientAddress, words, 0) || !writeAddress(vipAddress, words, 4)) return undefined;
    const number = protocolNumber[protocol];
    for (const [worker, { rows, index }] of tables.entries()) {
      const hash = index.hashOf(words, 0, 4, clientPort, vipPort, number);
      const flow = index.find(hash, words, 0, 4, clientPort, vipPort, number) >> 1;
      if (flow === 0 || rows.stateOf(flow) === FlowState.free) continue;
      const row = rows.bytes.slice(flow << byteShift, (flow + 1) << byteShift);
      return { worker, row, created: rows.created[flow]! };
    }
    return undefined;
  };
}
