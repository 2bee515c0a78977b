/** Captures on disk, run through packet paths: read as they come, told packet by packet, written as another. */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { CapturedPacket, Settled } from '../trace/capture.ts';
import type { CaptureFormat, Frame } from '../trace/pcap.ts';

export interface CaptureFiles {
  readonly read: string;
  readonly write: string | undefined;
}

/** How many packets met each reason, and how many were written. */
export interface CaptureSummary {
  readonly packets: number;
  readonly written: number;
  readonly reasons: Readonly<Record<string, number>>;
}

/** The flows that a capture's packets may belong to. Rejects with a SluiceError that names the file. */
export async function flowsIn(file: string): Promise<readonly FlowTuple[]> {
  const { FlowsInCapture } = await import('../trace/flows-in-capture.ts');
  const { format, frames } = await openCapture(file);
  const flows = new FlowsInCapture(format);
  for await (const frame of frames) flows.add(frame);
  return flows.tuples;
}

/** Runs a capture through paths, and tells of each packet when it is settled. Rejects as `flowsIn` does. */
export async function runCapture(
  { read, write }: CaptureFiles,
  paths: readonly PathSnapshot[],
  tell: (packet: CapturedPacket) => void,
): Promise<CaptureSummary> {
  const [{ CaptureRun }, { captureHeader, captureRecord }] = await Promise.all([
    import('../trace/capture.ts'),
    import('../trace/pcap.ts'),
  ]);
  const { format, frames } = await openCapture(read);
  const run = new CaptureRun(paths, format);
  const output = write === undefined ? undefined : await createFile(write);
  await output?.write(captureHeader(format));
  const reasons: Record<string, number> = {};
  let packets = 0;
  let written = 0;
  const settle = async (settled: readonly Settled[]): Promise<void> => {
    for (const { told, original, frames: sent } of settled) {
      packets++;
      reasons[told.reason] = (reasons[told.reason] ?? 0) + 1;
      tell(told);
      written += sent.length;
      for (const bytes of sent) await output?.write(captureRecord(format, original, bytes));
    }
  };
  for await (const frame of frames) await settle(run.send(frame));
  await settle(run.end());
  await output?.close();
  return { packets, written, reasons };
}

interface Capture {
  readonly format: CaptureFormat;
  readonly frames: AsyncIterable<Frame>;
}

async function openCapture(file: string): Promise<Capture> {
  const { CaptureReader } = await import('../trace/pcap.ts');
  const reader = new CaptureReader();
  const pieces: AsyncIterator<Uint8Array> = createReadStream(file)[Symbol.asyncIterator]();
  const next = async (): Promise<readonly Frame[] | undefined> => {
    try {
      const { done, value } = await pieces.next();
      if (!done) return reader.push(value);
      reader.end();
      return undefined;
    } catch (error) {
      throw explained(error, file, 'read');
    }
  };
  let first: readonly Frame[] = [];
  while (reader.format === undefined) first = (await next())!;
  async function* frames(): AsyncGenerator<Frame> {
    for (let some: readonly Frame[] | undefined = first; some !== undefined; some = await next()) yield* some;
  }
  return { format: reader.format, frames: frames() };
}

interface OutputFile {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

async function createFile(file: string): Promise<OutputFile> {
  const stream = createWriteStream(file);
  const failed = once(stream, 'error').then(([error]) => {
    throw explained(error, file, 'written');
  });
  failed.catch(() => undefined);
  await Promise.race([once(stream, 'open'), failed]);
  return {
    async write(bytes) {
      if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), failed]);
    },
    async close() {
      stream.end();
      await Promise.race([once(stream, 'finish'), failed]);
    },
  };
}

/** An error of the file system, or of the format, as one that names the file. */
function explained(error: unknown, file: string, verb: 'read' | 'written'): unknown {
  if (error instanceof SluiceError) {
    const { code, message, remedy, exitCode } = error;
    return new SluiceError(code, message, {
      exitCode,
      place: file,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const why = code === 'ENOENT' ? 'there is no such file or directory' : message;
  return new SluiceError('ERR_SLUICE_CAPTURE_FILE', `${file} cannot be ${verb}: ${why}`, {
    exitCode: ExitCode.usage,
    remedy: verb === 'read' ? 'name a capture with --pcap FILE' : 'name a file with --write FILE',
    cause: error,
  });
}
