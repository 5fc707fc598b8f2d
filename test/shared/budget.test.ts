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
