/** Copies without making a view of the range, as `Uint8Array.set` would need. The two may not overlap. */
export function copyBytes(from: DataView, fromAt: number, to: DataView, toAt: number, length: number): void {
  const words = length & ~3;
  for (let at = 0; at < words; at += 4) to.setUint32(toAt + at, from.getUint32(fromAt + at));
  for (let at = words; at < length; at++) to.setUint8(toAt + at, from.getUint8(fromAt + at));
}
