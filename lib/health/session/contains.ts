/** Searching a stream for a text, in bounded memory and over a bounded length. */

/** As much of an answer as is looked at. */
export const answerLimitBytes = 64 * 1024;

/**
 * Whether `text` (in UTF-8) is among the first 64 KiB of the stream. Reads no further than it must: it stops
 * at the text or at the limit, and leaving the loop closes the stream.
 */
export async function contains(stream: AsyncIterable<Buffer>, text: string): Promise<boolean> {
  const wanted = Buffer.from(text);
  let unreadBytes = answerLimitBytes;
  // The end of what was read, one byte too short to hold the text: it may begin there.
  let tail = Buffer.alloc(0);
  for await (const chunk of stream) {
    const seen = Buffer.concat([tail, chunk.subarray(0, unreadBytes)]);
    if (seen.includes(wanted)) return true;
    unreadBytes -= chunk.length;
    if (unreadBytes <= 0) return false;
    tail = seen.subarray(Math.max(0, seen.length - wanted.length + 1));
  }
  return false;
}
