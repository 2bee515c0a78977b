/** Packets laid end to end, with the columns that tell where each lies. */
export interface Columns {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly count: number;
}

export function columnsOf(packets: readonly Uint8Array[]): Columns {
  const lengths = Uint32Array.from(packets, (packet) => packet.length);
  const offsets = new Uint32Array(packets.length);
  for (let i = 1; i < packets.length; i++) offsets[i] = offsets[i - 1]! + lengths[i - 1]!;
  return { bytes: Buffer.concat(packets), offsets, lengths, count: packets.length };
}
