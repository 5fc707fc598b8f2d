import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readBody } from '../../../functions/http/body.ts';
import { createBudget } from '../../../shared/budget.ts';
import { RetryLater } from '../../../shared/errors.ts';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test('a body is read whole; none is empty', async () => {
  expect((await readBody(chunks('ab', '', 'c'), 3)).toString()).toBe('abc');
  expect(await readBody(null, 3)).toHaveLength(0);
});

test('a body that is too large is refused at the first byte too many', async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (; read < 100; read++) yield Buffer.alloc(10);
  }
  await expect(readBody(endless(), 35)).rejects.toMatchObject({ status: 413, code: 'body-too-large' });
  expect(read).toBe(3);
});

test('a body that ends early is the client’s fault, not ours', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"a":');
    throw new Error('aborted');
  }
  await expect(readBody(broken(), 100)).rejects.toMatchObject({ status: 400, code: 'body-incomplete' });
});

test('a body that does not end holds nothing up for ever', async () => {
  async function* stuck(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{');
    await new Promise(() => undefined);
  }
  await expect(readBody(stuck(), 100, { pace: { limitMs: 20 } })).rejects.toMatchObject({
    status: 408,
    code: 'body-too-slow',
  });
});

/** A body whose chunks come when they are let. */
async function* slow(size: number, ...pauses: Promise<unknown>[]): AsyncGenerator<Uint8Array> {
  for (const pause of pauses) {
    await pause;
    yield Buffer.alloc(size);
  }
}
const now = Promise.resolve();
const never = new Promise(() => undefined);

test('a body takes of the budget what has arrived of it, and no more', async () => {
  const budget = createBudget(100);
  const stuck = budget.share();
  void readBody(slow(10, now, never), 1000, { share: stuck, pace: { limitMs: 1000 } }).catch(() => undefined);
  const rest = budget.share();
  expect(await readBody(slow(30, now, now, now), 1000, { share: rest, pace: { roomMs: 20 } })).toHaveLength(90);
  expect(rest.tryGrow(91)).toBe(false);
  stuck.release();
  expect(rest.tryGrow(91)).toBe(true);
});

test('a body that is larger than the whole budget passes alone', async () => {
  const share = createBudget(100).share();
  expect(await readBody(slow(30, now, now, now, now, now), 1000, { share, pace: { roomMs: 20 } })).toHaveLength(150);
});

test('a body for which no room comes free is told to come back, and what it had is free for others', async () => {
  const budget = createBudget(100);
  budget.share().tryGrow(50);
  let asked = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for await (const chunk of slow(40, now, now, now)) {
      asked++;
      yield chunk;
    }
  }
  const reading = readBody(body(), 1000, { share: budget.share(), pace: { roomMs: 30 } });
  await expect(reading).rejects.toBeInstanceOf(RetryLater);
  await expect(reading).rejects.toThrow(/0.03 s brought no room/);
  expect(asked).toBe(2);
  expect(budget.share().tryGrow(50)).toBe(true);
});

test('of two bodies that wait for one another one is through in the end', async () => {
  const budget = createBudget(100);
  const both = Promise.withResolvers<void>();
  const one = async (): Promise<number> => {
    const share = budget.share();
    const read = readBody(slow(50, now, both.promise), 1000, { share, pace: { roomMs: 50 } });
    return (await read.finally(() => share.release())).length;
  };
  const all = Promise.allSettled([one(), one()]);
  setTimeout(both.resolve, 20);
  expect((await all).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

const pace = { slowAfterMs: 20, windowMs: 40, bytesPerWindow: 100 };

/** So many bytes every 10 ms. */
async function* trickle(size: number, times: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) {
    await sleep(10);
    yield Buffer.alloc(size);
  }
}

test('a body that makes no progress is refused long before its time is over', async () => {
  const reading = readBody(trickle(1, 1000), 1e6, { pace });
  await expect(reading).rejects.toMatchObject({ status: 408, code: 'body-too-slow' });
  await expect(reading).rejects.toThrow(/^Less than 0\.09765625 KB of the body arrived within 0\.04 s\./);
});

test('a slow body that makes progress is read', async () => {
  expect(await readBody(trickle(200, 20), 1e6, { pace })).toHaveLength(4000);
});

test('a body that waits for room is not slow', async () => {
  const budget = createBudget(100);
  const other = budget.share();
  other.tryGrow(100);
  setTimeout(() => other.release(), 150);
  const share = budget.share();
  expect(await readBody(slow(50, now, now), 1e6, { share, pace: { ...pace, roomMs: 1000 } })).toHaveLength(100);
});

test('of the slow bodies of one key only so many are read; those that come at once do not count', async () => {
  const budget = createBudget(10, { perOwner: 1 });
  const [first, second, third] = [budget.share('k'), budget.share('k'), budget.share('k')];
  const slowly = readBody(trickle(200, 20), 1e6, { slow: first, pace });
  await sleep(30);
  const refused = readBody(trickle(200, 20), 1e6, { slow: second, pace });
  expect(await readBody(slow(50, now), 1e6, { slow: third, pace })).toHaveLength(50);
  await expect(refused).rejects.toMatchObject({ status: 429, code: 'too-many-slow-bodies', retryAfterSeconds: 5 });
  expect(await slowly).toHaveLength(4000);
  first.release();
  const later = readBody(trickle(200, 20), 1e6, { slow: budget.share('k'), pace });
  expect(await later).toHaveLength(4000);
});
