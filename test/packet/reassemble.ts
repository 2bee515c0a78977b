/** Puts fragments together as a host would, from the bytes alone (RFC 815, slowly). */
import assert from 'node:assert/strict';
import { internetChecksum } from './craft.ts';

/** The IPv6 packet that `fragments` are of, in whatever order they come (RFC 8200 §4.5). Fails as `reassemble` does. */
export function reassembleIpv6(fragments: readonly Uint8Array[]): Uint8Array {
  const pieces = fragments
    .map((bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      assert.equal(view.getUint16(4), bytes.length - 40, 'payload length');
      assert.deepEqual([bytes[6], bytes[41], bytes[43]! & 6], [44, 0, 0], 'a fragment header');
      return {
        identity: [...bytes.subarray(0, 4), ...bytes.subarray(7, 41), ...bytes.subarray(44, 48)].join(),
        offset: view.getUint16(42) & 0xfff8,
        more: (bytes[43]! & 1) !== 0,
        bytes,
        data: bytes.subarray(48),
      };
    })
    .sort((one, other) => one.offset - other.offset);
  let end = 0;
  for (const piece of pieces) {
    assert.equal(piece.identity, pieces[0]!.identity, 'of one packet');
    assert.equal(piece.offset, end, 'no hole and no overlap');
    assert.equal(piece.more, piece !== pieces.at(-1));
    if (piece.more) assert.ok(piece.data.length % 8 === 0 && piece.data.length > 0);
    end += piece.data.length;
  }
  const first = pieces[0]!.bytes;
  const whole = Uint8Array.from([...first.subarray(0, 40), ...pieces.flatMap(({ data }) => [...data])]);
  whole.set([end >> 8, end & 255], 4);
  whole[6] = first[40]!;
  return whole;
}

/**
 * The IPv4 packet that `fragments` are of, in whatever order they come: the header of the first, all data, and header fields
 * as before it was cut up. Fails if one has a wrong checksum, is no fragment of it, or is missing.
 */
export function reassemble(fragments: readonly Uint8Array[]): Uint8Array {
  const pieces = fragments
    .map((bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const header = (bytes[0]! & 15) * 4;
      assert.equal(view.getUint16(2), bytes.length, 'total length');
      assert.equal(internetChecksum(bytes.subarray(0, header)), 0, 'header checksum');
      const field = view.getUint16(6);
      const identity = [...bytes.subarray(0, 2), ...bytes.subarray(4, 6), ...bytes.subarray(8, 10)];
      identity.push(...bytes.subarray(12, 20));
      return {
        identity: identity.join(),
        offset: (field & 0x1fff) * 8,
        more: (field & 0x2000) !== 0,
        header: bytes.subarray(0, header),
        data: bytes.subarray(header),
      };
    })
    .sort((one, other) => one.offset - other.offset);
  const [first] = pieces;
  const last = pieces.at(-1);
  assert.ok(first !== undefined && last !== undefined);
  let end = first.offset;
  for (const piece of pieces) {
    assert.equal(piece.identity, first.identity, 'of one packet');
    assert.equal(piece.offset, end, 'no hole and no overlap');
    if (piece !== last) {
      assert.ok(piece.more && piece.data.length % 8 === 0 && piece.data.length > 0);
    }
    end += piece.data.length;
  }
  const whole = Uint8Array.from([...first.header, ...pieces.flatMap(({ data }) => [...data])]);
  const field = (first.offset / 8) | (last.more ? 0x2000 : 0);
  whole.set([whole.length >> 8, whole.length & 255], 2);
  whole.set([field >> 8, field & 255], 6);
  whole.set([0, 0], 10);
  const checksum = internetChecksum(whole.subarray(0, first.header.length));
  whole.set([checksum >> 8, checksum & 255], 10);
  return whole;
}
