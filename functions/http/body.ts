/** Bytes of a request, which come from somebody else: not too many, and not for ever. */
import { Problem } from '../../shared/api/problem.ts';

/** Azure's front end gives up after 230 s; whoever waits keeps others from being served. */
const bodySeconds = 60;

type Chunks = AsyncIterable<Uint8Array>;

/**
 * Reads a body of at most `maxBytes`; null is an empty one. A body that is too large is a 413, one that ends early a 400,
 * one that is not through in time a 408.
 */
export async function readBody(body: Chunks | null, maxBytes: number, limitMs = bodySeconds * 1000): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0);
  // a signal would make an error for every body, which scores feel
  const reading = { isOver: false };
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const detail = `The body did not arrive within ${limitMs / 1000} s. Send it again.`;
    reject(new Problem(408, 'body-too-slow', detail));
  }, limitMs);
  try {
    return await Promise.race([collect(body, maxBytes, reading), late]);
  } finally {
    clearTimeout(timer);
    reading.isOver = true;
  }
}

async function collect(body: Chunks, maxBytes: number, reading: { isOver: boolean }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      // answered already: what still comes is not kept, and leaving the loop ends the stream
      if (reading.isOver) break;
      size += chunk.length;
      if (size > maxBytes)
        throw new Problem(413, 'body-too-large', `The body has more than ${maxBytes / 1024} KB. Send less.`);
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, 'body-incomplete', 'The body ended before it was complete. Send the request again.');
  }
  return Buffer.concat(chunks);
}
