/** A body that is handed on while it comes, since it is too large to be held. */
import { createHash } from 'node:crypto';
import { Problem } from '../../shared/api/problem.ts';
import { type BodyLimits, type Chunks, defaultPace, next, type Pace, type Reading, watch } from './body.ts';
import type { DigestCheck } from './digest.ts';

/** Azure's front end gives up after 230 s, and the answer takes some of them. */
const streamPace: Pace = { ...defaultPace, limitMs: 200_000 };

/**
 * Hands on a body of at most `maxBytes` as fast as it is taken. It ends with an error, so that nothing is made of it, where
 * it is too large (413), breaks off (400), is too slow (408, 429) or has another digest than it claims (400).
 */
export async function* streamBody(
  body: Chunks | null,
  maxBytes: number,
  claimed: DigestCheck,
  { slow, pace }: Pick<BodyLimits, 'slow' | 'pace'> = {},
): AsyncGenerator<Uint8Array> {
  const reading: Reading = { chunks: [], size: 0, waitsForRoom: false, isOver: false };
  const { promise: late, reject } = Promise.withResolvers<never>();
  // whoever takes it may be at work with the part before
  late.catch(() => undefined);
  const stop = watch(reading, { ...streamPace, ...pace }, slow, reject);
  try {
    const chunks = body?.[Symbol.asyncIterator]() ?? nothing;
    for (;;) {
      const { done, value } = await Promise.race([next(chunks), late]);
      if (done === true) break;
      reading.size += value.length;
      if (reading.size > maxBytes) throw tooLarge(maxBytes);
      claimed.update(value);
      // while it is not asked for it is not slow
      reading.waitsForRoom = true;
      yield value;
      reading.waitsForRoom = false;
    }
    claimed.assert();
  } finally {
    stop();
  }
}

const nothing: AsyncIterator<Uint8Array> = { next: () => Promise.resolve({ done: true, value: undefined }) };

/** The error for a body that is too large to be handed on. */
export function tooLarge(maxBytes: number): Problem {
  const detail = `The body has more than ${maxBytes / 1024 / 1024} MB. Send less.`;
  return new Problem(413, 'body-too-large', detail);
}

/** The same parts; `guard` is handed the sha-256 of all of them before they end, and may refuse them. */
export async function* guarded(
  chunks: Chunks,
  guard: (sha256: () => string) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  await guard(() => hash.digest('hex'));
}
