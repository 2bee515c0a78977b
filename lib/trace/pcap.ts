/**
 * Captures in the classic pcap format (draft-ietf-opsawg-pcap), as tcpdump writes them: microseconds or nanoseconds, in
 * either order of bytes. Read as the bytes come, written in the form in which they were read.
 *
 *   ├ magic ┼ version ┼ 0 ┼ 0 ┼ longest record ┼ link type ┤        24 bytes, once
 *   ├ seconds ┼ fraction ┼ captured ┼ on the wire ┼ bytes … ┤       a record for each frame
 */
import { SluiceError } from '../model/errors.ts';

const headerLength = 24;
const recordHeaderLength = 16;
/** Longer than any link's frames. */
const longestFrame = 2 ** 18;

const microseconds = 0xa1b2c3d4;
const nanoseconds = 0xa1b23c4d;
const pcapng = 0x0a0d0d0a;

/** What the header of a file says. */
export interface CaptureFormat {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  /** One of the LINKTYPE_ values. */
  readonly linkType: number;
}

export interface Frame {
  /** Since the epoch. */
  readonly timeMs: number;
  readonly bytes: Uint8Array;
  /** Bytes on the wire: more than there are if the capture cut them off. */
  readonly wireLength: number;
  /** Its time as it is written in the file. */
  readonly seconds: number;
  readonly fraction: number;
}

/** Takes a file in pieces and answers with the frames that are complete. */
export class CaptureReader {
  #format: CaptureFormat | undefined;
  #rest: Uint8Array = new Uint8Array(0);

  /** Undefined until the header has come. */
  get format(): CaptureFormat | undefined {
    return this.#format;
  }

  /** Throws ERR_SLUICE_NOT_A_CAPTURE. A last frame that is cut off never comes. */
  push(piece: Uint8Array): Frame[] {
    const bytes = new Uint8Array(this.#rest.length + piece.length);
    bytes.set(this.#rest);
    bytes.set(piece, this.#rest.length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    if (this.#format === undefined) {
      if (bytes.length >= 4) requireCapture(view.getUint32(0));
      if (bytes.length < headerLength) {
        this.#rest = bytes;
        return [];
      }
      this.#format = readHeader(view);
      at = headerLength;
    }
    const { littleEndian, nanoseconds: fine } = this.#format;
    const frames: Frame[] = [];
    while (bytes.length - at >= recordHeaderLength) {
      const word = (index: number): number => view.getUint32(at + index * 4, littleEndian);
      const [seconds, fraction, length, wireLength] = [word(0), word(1), word(2), word(3)];
      if (length > longestFrame) throw notACapture('a frame in it is longer than any can be');
      const end = at + recordHeaderLength + length;
      if (end > bytes.length) break;
      const timeMs = seconds * 1_000 + fraction / (fine ? 1e6 : 1e3);
      frames.push({
        timeMs,
        bytes: bytes.slice(at + recordHeaderLength, end),
        wireLength,
        seconds,
        fraction,
      });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }

  /** Called when no more comes. Throws ERR_SLUICE_NOT_A_CAPTURE if not even the header has. */
  end(): void {
    if (this.#format === undefined) throw notACapture('it has not even a header');
  }
}

/** The beginning of a file. */
export function captureHeader({ littleEndian, nanoseconds: fine, linkType }: CaptureFormat): Uint8Array {
  const view = new DataView(new ArrayBuffer(headerLength));
  view.setUint32(0, fine ? nanoseconds : microseconds, littleEndian);
  view.setUint16(4, 2, littleEndian);
  view.setUint16(6, 4, littleEndian);
  view.setUint32(16, longestFrame, littleEndian);
  view.setUint32(20, linkType, littleEndian);
  return new Uint8Array(view.buffer);
}

/** A frame at the time of `original`, with other bytes. */
export function captureRecord(
  { littleEndian }: CaptureFormat,
  original: Frame,
  bytes: Uint8Array,
): Uint8Array {
  const record = new Uint8Array(recordHeaderLength + bytes.length);
  const view = new DataView(record.buffer);
  const missing = original.wireLength - original.bytes.length;
  view.setUint32(0, original.seconds, littleEndian);
  view.setUint32(4, original.fraction, littleEndian);
  view.setUint32(8, bytes.length, littleEndian);
  view.setUint32(12, bytes.length + missing, littleEndian);
  record.set(bytes, recordHeaderLength);
  return record;
}

function readHeader(view: DataView): CaptureFormat {
  const big = view.getUint32(0);
  const littleEndian = big !== microseconds && big !== nanoseconds;
  return {
    littleEndian,
    nanoseconds: view.getUint32(0, littleEndian) === nanoseconds,
    // Above are bits of the frame check sequence.
    linkType: view.getUint32(20, littleEndian) & 0xffff,
  };
}

function requireCapture(magic: number): void {
  const swapped = swap(magic);
  if ([microseconds, nanoseconds].some((known) => known === magic || known === swapped)) return;
  if (magic === pcapng) {
    throw notACapture('it is pcapng', 'convert it: editcap -F pcap IN OUT, or tcpdump -r IN -w OUT');
  }
  throw notACapture('it does not begin as one');
}

function swap(word: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, word);
  return view.getUint32(0, true);
}

function notACapture(
  why: string,
  remedy = 'give a file that tcpdump -w has written, in the pcap format',
): SluiceError {
  return new SluiceError('ERR_SLUICE_NOT_A_CAPTURE', `this is no pcap capture: ${why}`, { remedy });
}
