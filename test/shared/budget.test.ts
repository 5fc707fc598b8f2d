import { expect, test } from 'vitest';
import { createBudget } from '../../shared/budget.ts';

/** Lets every waiting promise that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('requests that fit together run together, the next waits', async () => {
  const budget = createBudget(10);
  const order: string[] = [];
  const releaseFirst = await budget.take(6);
  await budget.take(4);
  void budget.take(1).then(() => order.push('third'));
  await settle();
  expect(order).toEqual([]);
  releaseFirst();
  await settle();
  expect(order).toEqual(['third']);
});

test('a small request does not overtake a big one', async () => {
  const budget = createBudget(10);
  const order: string[] = [];
  const release = await budget.take(5);
  void budget.take(9).then(() => order.push('big'));
  void budget.take(1).then(() => order.push('small'));
  await settle();
  expect(order).toEqual([]);
  release();
  await settle();
  expect(order).toEqual(['big', 'small']);
});

test('giving back twice frees once', async () => {
  const budget = createBudget(10);
  const release = await budget.take(10);
  release();
  release();
  await budget.take(10);
  let got = false;
  void budget.take(1).then(() => (got = true));
  await settle();
  expect(got).toBe(false);
});

test('more than the whole budget waits for the whole budget', async () => {
  const release = await createBudget(10).take(1e9);
  expect(release).toBeTypeOf('function');
});

test('too many waiting is an error, not an endless queue', async () => {
  const budget = createBudget(1);
  await budget.take(1);
  for (let count = 0; count < 256; count += 1) void budget.take(1);
  await expect(budget.take(1)).rejects.toThrow(/overloaded/);
});

test('a share grows while there is room, and behind those who wait already', async () => {
  const budget = createBudget(10);
  const [a, b, c] = [budget.share(), budget.share(), budget.share()];
  expect([a.tryGrow(4), a.tryGrow(6), b.tryGrow(4), b.tryGrow(5)]).toEqual([true, true, true, false]);
  const order: string[] = [];
  void b.grow(9).then((granted) => order.push(`b ${granted}`));
  expect(c.tryGrow(0)).toBe(true);
  void c.grow(1).then((granted) => order.push(`c ${granted}`));
  await settle();
  expect(order).toEqual([]);
  a.giveBack();
  await settle();
  expect(order).toEqual(['b true', 'c true']);
  expect(budget.share().tryGrow(1)).toBe(false);
  for (const share of [a, b, c]) share.giveBack();
  expect(budget.share().tryGrow(10)).toBe(true);
});

test('a share that is given back leaves the line, and those behind it go on', async () => {
  const budget = createBudget(10);
  const [holder, big, small] = [budget.share(), budget.share(), budget.share()];
  holder.tryGrow(8);
  const waits = big.grow(10);
  const behind = small.grow(2);
  big.giveBack();
  expect(await Promise.all([waits, behind])).toEqual([false, true]);
  expect(await big.grow(1)).toBe(false);
  expect(big.tryGrow(1)).toBe(false);
});
