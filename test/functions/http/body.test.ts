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
  await expect(readBody(stuck(), 100, { limitMs: 20 })).rejects.toMatchObject({ status: 408, code: 'body-too-slow' });
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
  void readBody(slow(10, now, never), 1000, { share: stuck, limitMs: 1000 }).catch(() => undefined);
  const rest = budget.share();
  expect(await readBody(slow(30, now, now, now), 1000, { share: rest, roomMs: 20 })).toHaveLength(90);
  expect(rest.tryGrow(91)).toBe(false);
  stuck.giveBack();
  expect(rest.tryGrow(91)).toBe(true);
});

test('a body that is larger than the whole budget passes alone', async () => {
  const share = createBudget(100).share();
  expect(await readBody(slow(30, now, now, now, now, now), 1000, { share, roomMs: 20 })).toHaveLength(150);
});

test('a body for which no room comes free is told to come back, and what it had is free for others', async () => {
  const budget = createBudget(100);
  budget.share().tryGrow(50);
  let ended = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield* slow(40, now, now, now);
    } finally {
      ended = true;
    }
  }
  const reading = readBody(body(), 1000, { share: budget.share(), roomMs: 30 });
  await expect(reading).rejects.toBeInstanceOf(RetryLater);
  await expect(reading).rejects.toThrow(/0.03 s brought no room/);
  expect(ended).toBe(true);
  expect(budget.share().tryGrow(50)).toBe(true);
});

test('of two bodies that wait for one another one is through in the end', async () => {
  const budget = createBudget(100);
  const both = Promise.withResolvers<void>();
  const one = async (): Promise<number> => {
    const share = budget.share();
    const read = readBody(slow(50, now, both.promise), 1000, { share, roomMs: 50 });
    return (await read.finally(() => share.giveBack())).length;
  };
  const all = Promise.allSettled([one(), one()]);
  setTimeout(both.resolve, 20);
  expect((await all).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});
