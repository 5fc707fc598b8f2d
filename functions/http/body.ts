/** Bytes of a request, which come from somebody else: not too many, not too slowly, and not for ever. */
import { Problem } from '../../shared/api/problem.ts';
import type { Share } from '../../shared/budget.ts';
import { RetryLater } from '../../shared/errors.ts';

/** How fast a body has to come. */
export interface Pace {
  /** a body that is not through by then is a slow one */
  slowAfterMs: number;
  /** in every such time from then on */
  windowMs: number;
  /** at least this much has to arrive */
  bytesPerWindow: number;
  /** time the whole body may take */
  limitMs: number;
  /** time one wait for room may take */
  roomMs: number;
}

/**
 * 1 KB a second, which the slowest phones make and who only holds a place does not. Azure's front end gives up after
 * 230 s; whoever waits keeps others from being served. Who finds no room can ask another instance.
 */
export const defaultPace: Pace = {
  slowAfterMs: 1000,
  windowMs: 5000,
  bytesPerWindow: 5 * 1024,
  limitMs: 60_000,
  roomMs: 5000,
};

export type Chunks = AsyncIterable<Uint8Array>;

export interface BodyLimits {
  /** of the bytes that this process may hold: grows with every byte that has arrived, and is given back by the caller */
  share?: Share | undefined;
  /** of the slow bodies that one key may have: grows to 1 when this one is slow, and is given back by the caller */
  slow?: Share | undefined;
  pace?: Partial<Pace>;
}

/** A body that is being read. */
export interface Reading {
  chunks: Buffer[];
  size: number;
  /** it does not come since nobody asks for it */
  waitsForRoom: boolean;
  isOver: boolean;
}

/**
 * Reads a body of at most `maxBytes`; null is an empty one. A body that is too large is a 413, one that ends early a 400,
 * one that is too slow a 408, or a 429 beside too many slow ones of the same key. Rejects with RetryLater when there is no
 * room for it. What comes after that is not read, and left to the host, which answers before it ends the connection.
 */
export async function readBody(
  body: Chunks | null,
  maxBytes: number,
  { share, slow, pace: paced }: BodyLimits = {},
): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0);
  const pace = { ...defaultPace, ...paced };
  const reading: Reading = { chunks: [], size: 0, waitsForRoom: false, isOver: false };
  // a signal would make an error for every body, which scores feel
  const { promise: late, reject } = Promise.withResolvers<never>();
  const stop = watch(reading, pace, slow, reject);
  const room = share === undefined ? undefined : { share, waitMs: pace.roomMs };
  try {
    return await Promise.race([collect(body, maxBytes, reading, room), late]);
  } finally {
    stop();
    reading.isOver = true;
    // the loop may wait for a next chunk as long as the connection lives
    reading.chunks = [];
  }
}

/** Looks at a body once it is slow, and then in every window; `refuse` ends it. Returns what ends the watch. */
export function watch(
  reading: Reading,
  pace: Pace,
  slow: Share | undefined,
  refuse: (problem: Problem) => void,
): () => void {
  let seen = 0;
  let waitedMs = 0;
  const check = (): void => {
    const isSlow = !reading.waitsForRoom && reading.size - seen < pace.bytesPerWindow;
    if (waitedMs > pace.slowAfterMs && isSlow) return refuse(tooSlow(pace));
    if (waitedMs >= pace.limitMs) return refuse(tooLong(pace));
    if (slow?.tryGrow(1) === false) return refuse(tooMany());
    seen = reading.size;
    wait(Math.min(pace.windowMs, pace.limitMs - waitedMs));
  };
  let timer: NodeJS.Timeout;
  const wait = (ms: number): void => {
    timer = setTimeout(() => {
      waitedMs += ms;
      check();
    }, ms);
  };
  wait(Math.min(pace.slowAfterMs, pace.limitMs));
  return () => clearTimeout(timer);
}

const tooSlow = ({ bytesPerWindow, windowMs }: Pace): Problem => {
  const detail = `Less than ${bytesPerWindow / 1024} KB of the body arrived within ${windowMs / 1000} s. Send it again, all at once.`;
  return new Problem(408, 'body-too-slow', detail);
};

const tooLong = ({ limitMs }: Pace): Problem =>
  new Problem(408, 'body-too-slow', `The body did not arrive within ${limitMs / 1000} s. Send it again.`);

const tooMany = (): Problem => {
  const detail = 'Too many bodies of this key arrive slowly. Send fewer at a time, or faster.';
  return new Problem(429, 'too-many-slow-bodies', detail, { retryAfterSeconds: 5 });
};

interface Room {
  share: Share;
  waitMs: number;
}

async function collect(body: Chunks, maxBytes: number, reading: Reading, room: Room | undefined): Promise<Buffer> {
  // not `for await`: leaving that loop destroys the connection, and the answer with it
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await next(chunks);
    // answered already: what still comes is not kept
    if (done === true || reading.isOver) break;
    reading.size += value.length;
    if (reading.size > maxBytes)
      throw new Problem(413, 'body-too-large', `The body has more than ${maxBytes / 1024} KB. Send less.`);
    if (room !== undefined && !room.share.tryGrow(reading.size)) await waitForRoom(room, reading);
    reading.chunks.push(Buffer.from(value));
  }
  const [only, ...others] = reading.chunks;
  return only !== undefined && others.length === 0 ? only : Buffer.concat(reading.chunks);
}

/** The next part of a body; one that breaks off is a 400. */
export async function next(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  try {
    return await chunks.next();
  } catch {
    throw new Problem(400, 'body-incomplete', 'The body ended before it was complete. Send the request again.');
  }
}

/**
 * Waits until others have left room for what has arrived. What this body has is given back at the end of its time, so that
 * of two that wait for one another the second can go on.
 */
async function waitForRoom({ share, waitMs }: Room, reading: Reading): Promise<void> {
  reading.waitsForRoom = true;
  const timer = setTimeout(() => share.release(), waitMs);
  try {
    if (await share.grow(reading.size)) return;
  } finally {
    clearTimeout(timer);
    reading.waitsForRoom = false;
  }
  const detail = `This process holds as many bytes of images as it may, and ${waitMs / 1000} s brought no room for this one.`;
  throw new RetryLater(detail);
}
