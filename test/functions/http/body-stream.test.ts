/** A body that is handed on while it comes. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { guarded, streamBody } from '../../../functions/http/body-stream.ts';
import { createDigestCheck } from '../../../functions/http/digest.ts';
import { createBudget } from '../../../shared/budget.ts';

const MB = 1024 * 1024;
const unclaimed = createDigestCheck(new Headers());

async function* parts(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await Promise.resolve();
    yield Buffer.from(text);
  }
}

async function taken(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('it is what came, and nothing where there is none', async () => {
  expect(await taken(streamBody(parts('ab', 'c'), MB, unclaimed))).toBe('abc');
  expect(await taken(streamBody(null, MB, unclaimed))).toBe('');
});

test('it ends as an error once it is too large', async () => {
  const body = streamBody(parts('x'.repeat(MB), 'y'), MB, unclaimed);
  await expect(taken(body)).rejects.toMatchObject({ status: 413, message: 'The body has more than 1 MB. Send less.' });
});

test('it ends as an error where it breaks off', async () => {
  async function* broken() {
    yield* parts('a');
    throw new Error('socket hang up');
  }
  await expect(taken(streamBody(broken(), MB, unclaimed))).rejects.toMatchObject({
    status: 400,
    code: 'body-incomplete',
  });
});

test('it ends as an error where its digest is another than it claims, which is known at its end', async () => {
  const claim = (text: string) => {
    const digest = createHash('sha256').update(text).digest('base64');
    return createDigestCheck(new Headers({ 'content-digest': `sha-256=:${digest}:` }));
  };
  expect(await taken(streamBody(parts('ab', 'c'), MB, claim('abc')))).toBe('abc');
  await expect(taken(streamBody(parts('ab', 'd'), MB, claim('abc')))).rejects.toMatchObject({
    code: 'digest-mismatch',
  });
});

test('it ends as an error when nothing comes for too long, whoever has taken what came before', async () => {
  async function* stalling() {
    yield* parts('a');
    await new Promise(() => undefined);
  }
  const slow = createBudget(1).share();
  const pace = { slowAfterMs: 5, windowMs: 5 };
  await expect(taken(streamBody(stalling(), MB, unclaimed, { slow, pace }))).rejects.toMatchObject({ status: 408 });
});

test('it is not slow while whoever takes it is', async () => {
  const body = streamBody(parts('a', 'b'), MB, unclaimed, { pace: { slowAfterMs: 5, windowMs: 5 } });
  expect((await body.next()).value?.toString()).toBe('a');
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect((await body.next()).value?.toString()).toBe('b');
});

test('whoever guards it is told its digest before it ends, and may refuse it', async () => {
  const sha256 = createHash('sha256').update('ab').digest('hex');
  const told: string[] = [];
  await taken(guarded(parts('a', 'b'), async (digest) => void told.push(digest())));
  expect(told).toEqual([sha256]);
  await expect(taken(guarded(parts('a'), () => Promise.reject(new RangeError('no'))))).rejects.toThrow(RangeError);
});
