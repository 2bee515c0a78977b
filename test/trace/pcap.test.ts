import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type CaptureFormat,
  CaptureReader,
  captureHeader,
  captureRecord,
  type Frame,
} from '../../lib/trace/pcap.ts';
import { craft } from '../packet/craft.ts';
import { output } from '../support/child.ts';
import { scratch } from '../support/scratch.ts';
import { missing, toolPath } from '../support/tools.ts';

const ethernet: CaptureFormat = { littleEndian: true, nanoseconds: false, linkType: 1 };

function frame(bytes: Uint8Array, seconds = 1_700_000_000, fraction = 5): Frame {
  return { timeMs: 0, bytes, wireLength: bytes.length, seconds, fraction };
}

function file(format: CaptureFormat, frames: readonly Frame[]): Buffer {
  return Buffer.concat([
    captureHeader(format),
    ...frames.map((each) => captureRecord(format, each, each.bytes)),
  ]);
}

const whole = (bytes: Uint8Array) => new CaptureReader().push(bytes);

describe('a capture', () => {
  const formats = fc.record({
    littleEndian: fc.boolean(),
    nanoseconds: fc.boolean(),
    linkType: fc.constantFrom(1, 101, 113, 276),
  });
  const frames = fc.array(
    fc.record({
      bytes: fc.uint8Array({ maxLength: 64 }),
      seconds: fc.integer({ min: 0, max: 2 ** 31 }),
      fraction: fc.nat(999_999),
    }),
    { maxLength: 8 },
  );

  it('is read as it was written, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(formats, frames, fc.integer({ min: 1, max: 50 }), (format, contents, size) => {
        const bytes = file(
          format,
          contents.map(({ bytes: packet, seconds, fraction }) => frame(packet, seconds, fraction)),
        );
        const reader = new CaptureReader();
        const read: Frame[] = [];
        for (let at = 0; at < bytes.length; at += size)
          read.push(...reader.push(bytes.subarray(at, at + size)));
        reader.end();
        assert.deepEqual(reader.format, { ...format });
        assert.deepEqual(
          read.map(({ bytes: packet, seconds, fraction }) => ({ bytes: packet, seconds, fraction })),
          contents.map((each) => ({ ...each })),
        );
      }),
    );
  });

  it('knows its time to the fraction', () => {
    const [micro] = whole(file(ethernet, [frame(Uint8Array.of(1), 2, 250_000)]));
    const [nano] = whole(file({ ...ethernet, nanoseconds: true }, [frame(Uint8Array.of(1), 2, 250_000_000)]));
    assert.deepEqual([micro!.timeMs, nano!.timeMs], [2_250, 2_250]);
  });

  it('keeps how much of a frame was cut off', () => {
    const cut = { ...frame(new Uint8Array(60)), wireLength: 1_500 };
    const record = captureRecord(ethernet, cut, new Uint8Array(84));
    const [read] = whole(Buffer.concat([captureHeader(ethernet), record]));
    assert.deepEqual([read!.bytes.length, read!.wireLength], [84, 1_524]);
  });

  it('ends before a frame that is not there whole', () => {
    const bytes = file(ethernet, [frame(new Uint8Array(10)), frame(new Uint8Array(10))]);
    assert.equal(whole(bytes.subarray(0, -1)).length, 1);
  });

  it('is refused when it is none, and says what it is instead', () => {
    assert.throws(() => whole(Buffer.from('hello')), /no pcap capture: it does not begin as one/);
    assert.throws(() => whole(Buffer.from('0a0d0d0a', 'hex')), { remedy: /^convert it: editcap -F pcap / });
    assert.throws(() => new CaptureReader().end(), /not even a header/);
    const endless = file(ethernet, [frame(new Uint8Array(4))]);
    endless.writeUInt32LE(2 ** 31, 24 + 8);
    assert.throws(() => whole(endless), /longer than any can be/);
  });

  it('is read by tshark', { skip: missing('tshark') }, async () => {
    const packet = craft({
      source: '192.0.2.1',
      destination: '192.0.2.2',
      sourcePort: 1,
      destinationPort: 2,
    });
    const directory = scratch();
    for (const nanoseconds of [true, false]) {
      for (const littleEndian of [true, false]) {
        const path = join(directory.path, 'out.pcap');
        writeFileSync(path, file({ littleEndian, nanoseconds, linkType: 101 }, [frame(packet)]));
        const args = [
          '-r',
          path,
          '-T',
          'fields',
          '-e',
          'frame.time_epoch',
          '-e',
          'ip.dst',
          '-e',
          'tcp.dstport',
        ];
        const fields = (await output({ program: toolPath('tshark'), args })).trim().split('\t');
        assert.deepEqual(fields, [
          nanoseconds ? '1700000000.000000005' : '1700000000.000005000',
          '192.0.2.2',
          '2',
        ]);
      }
    }
    directory.remove();
  });

  it('is read as tcpdump writes it', { skip: missing('tcpdump') }, async () => {
    const directory = scratch();
    const packet = craft({
      source: '192.0.2.1',
      destination: '192.0.2.2',
      sourcePort: 1,
      destinationPort: 2,
    });
    const [before, after] = ['in.pcap', 'out.pcap'].map((name) => join(directory.path, name)) as [
      string,
      string,
    ];
    writeFileSync(before, file({ ...ethernet, linkType: 101 }, [frame(packet)]));
    await output({ program: toolPath('tcpdump'), args: ['-r', before, '-w', after] });
    const reader = new CaptureReader();
    const [read] = reader.push(readFileSync(after));
    assert.deepEqual([reader.format!.linkType, read!.bytes, read!.fraction], [101, packet, 5]);
    directory.remove();
  });
});
