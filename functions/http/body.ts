/** Bytes of a request, which come from somebody else: not too many, and not for ever. */
import { Problem } from '../../shared/api/problem.ts';
import type { Share } from '../../shared/budget.ts';
import { RetryLater } from '../../shared/errors.ts';

/** Azure's front end gives up after 230 s; whoever waits keeps others from being served. */
const bodySeconds = 60;
/** A body waits this long for others to leave room; a client that is told so can ask another instance. */
const roomSeconds = 5;

type Chunks = AsyncIterable<Uint8Array>;

interface BodyLimits {
  /** of the bytes that this process may hold: grows with every byte that has arrived, and is given back by the caller */
  share?: Share | undefined;
  /** time the whole body may take */
  limitMs?: number;
  /** time one wait for room may take */
  roomMs?: number;
}

/**
 * Reads a body of at most `maxBytes`; null is an empty one. A body that is too large is a 413, one that ends early a 400,
 * one that is not through in time a 408. Rejects with RetryLater when there is no room for it.
 */
export async function readBody(
  body: Chunks | null,
  maxBytes: number,
  { share, limitMs = bodySeconds * 1000, roomMs = roomSeconds * 1000 }: BodyLimits = {},
): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0);
  // a signal would make an error for every body, which scores feel
  const reading = { isOver: false };
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const detail = `The body did not arrive within ${limitMs / 1000} s. Send it again.`;
    reject(new Problem(408, 'body-too-slow', detail));
  }, limitMs);
  const room = share === undefined ? undefined : { share, waitMs: roomMs };
  try {
    return await Promise.race([collect(body, maxBytes, reading, room), late]);
  } finally {
    clearTimeout(timer);
    reading.isOver = true;
  }
}

interface Room {
  share: Share;
  waitMs: number;
}

async function collect(
  body: Chunks,
  maxBytes: number,
  reading: { isOver: boolean },
  room: Room | undefined,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      // answered already: what still comes is not kept, and leaving the loop ends the stream
      if (reading.isOver) break;
      size += chunk.length;
      if (size > maxBytes)
        throw new Problem(413, 'body-too-large', `The body has more than ${maxBytes / 1024} KB. Send less.`);
      if (room !== undefined && !room.share.tryGrow(size)) await waitForRoom(room, size);
      chunks.push(Buffer.from(chunk));
    }
  } catch (error) {
    if (error instanceof Problem || error instanceof RetryLater) throw error;
    throw new Problem(400, 'body-incomplete', 'The body ended before it was complete. Send the request again.');
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/**
 * Waits until others have left room for `size` bytes. What this body has is given back at the end of its time, so that of
 * two that wait for one another the second can go on.
 */
async function waitForRoom({ share, waitMs }: Room, size: number): Promise<void> {
  const timer = setTimeout(() => share.giveBack(), waitMs);
  try {
    if (await share.grow(size)) return;
  } finally {
    clearTimeout(timer);
  }
  const detail = `This process holds as many bytes of images as it may, and ${waitMs / 1000} s brought no room for this one.`;
  throw new RetryLater(detail);
}
