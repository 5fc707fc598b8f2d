import fc from 'fast-check';
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
  a.release();
  await settle();
  expect(order).toEqual(['b true', 'c true']);
  expect(budget.share().tryGrow(1)).toBe(false);
  for (const share of [a, b, c]) share.release();
  expect(budget.share().tryGrow(10)).toBe(true);
});

test('a share that is given back leaves the line, and those behind it go on', async () => {
  const budget = createBudget(10);
  const [holder, big, small] = [budget.share(), budget.share(), budget.share()];
  holder.tryGrow(8);
  const waits = big.grow(10);
  const behind = small.grow(2);
  big.release();
  expect(await Promise.all([waits, behind])).toEqual([false, true]);
  expect(await big.grow(1)).toBe(false);
  expect(big.tryGrow(1)).toBe(false);
});

test('small ones that fit pass a big one that waits, others do not', async () => {
  const budget = createBudget(10, { passing: 2 });
  budget.share().tryGrow(5);
  const waits = budget.share();
  void waits.grow(9);
  const [small, other] = [budget.share(), budget.share()];
  expect([small.tryGrow(2), other.tryGrow(3), budget.share().tryGrow(2), budget.share().tryGrow(2)]).toEqual([
    ...[true, false, true, false],
  ]);
});

test('whoever takes, waits and gives back in whatever order: no more is out than there is, and nobody waits for what fits', async () => {
  const step = fc.record({ who: fc.nat(4), what: fc.constantFrom('try', 'grow', 'back'), amount: fc.nat(14) });
  const options = fc.record({ passing: fc.constantFrom(0, 3), perOwner: fc.constantFrom(4, 7, 10) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), options, async (steps, { passing, perOwner }) => {
      const total = 10;
      const budget = createBudget(total, { passing, perOwner });
      const shares = Array.from({ length: 5 }, (_, i) => ({
        ...{ owner: i % 2, share: budget.share(`owner ${i % 2}`), held: 0, waits: 0, over: false },
      }));
      for (const { who, what, amount } of steps) {
        const one = shares[who];
        if (one === undefined || (one.waits > 0 && what !== 'back')) continue;
        const reached = (): void => void (one.held = Math.max(one.held, Math.min(amount, perOwner)));
        if (what === 'try' && one.share.tryGrow(amount)) reached();
        else if (what === 'back') {
          one.share.release();
          Object.assign(one, { held: 0, over: true });
        } else if (what === 'grow') {
          one.waits = Math.max(1, Math.min(amount, perOwner) - one.held);
          void one.share.grow(amount).then((granted) => {
            if (granted) reached();
            one.waits = 0;
          });
        }
        await settle();
        const out = shares.reduce((sum, { held }) => sum + held, 0);
        expect(out).toBeLessThanOrEqual(total);
        for (const owner of [0, 1]) {
          const own = shares.filter((other) => other.owner === owner).reduce((sum, { held }) => sum + held, 0);
          expect(own).toBeLessThanOrEqual(perOwner);
        }
        expect(shares.some(({ over, held }) => over && held > 0)).toBe(false);
      }
      for (const { share } of shares) share.release();
      await settle();
      expect(shares.every(({ waits }) => waits === 0)).toBe(true);
      for (const i of Array.from({ length: total }, (_, n) => n))
        expect(budget.share(`new ${i}`).tryGrow(1)).toBe(true);
      expect(budget.share('one more').tryGrow(1)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('an owner gets no more than its part, and who waits for it holds up no other owner', async () => {
  const budget = createBudget(10, { perOwner: 6 });
  const [first, second] = [budget.share('a'), budget.share('a')];
  expect([first.tryGrow(6), second.tryGrow(1), budget.share('b').tryGrow(4)]).toEqual([true, false, true]);
  const waits = second.grow(3);
  expect(budget.share('c').tryGrow(1)).toBe(false);
  first.release();
  expect(await waits).toBe(true);
  expect(budget.share('c').tryGrow(3)).toBe(true);
});

test('owners take turns, however many of one wait', async () => {
  const budget = createBudget(1);
  const order: string[] = [];
  const use = async (name: string, owner: string): Promise<void> => {
    const release = await budget.take(1, owner);
    order.push(name);
    await settle();
    release();
  };
  const many = Array.from({ length: 6 }, (_, i) => use(`a${i}`, 'a'));
  await Promise.all([...many, use('b0', 'b'), use('b1', 'b'), use('c0', 'c')]);
  expect(order).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'a3', 'a4', 'a5']);
});

test('too many of one owner waiting leave room for those of another', async () => {
  const budget = createBudget(1);
  await budget.take(1, 'a');
  for (let count = 0; count < 256; count += 1) void budget.take(1, 'a');
  await expect(budget.take(1, 'a')).rejects.toThrow(/overloaded/);
  const waits = budget.share('b').grow(1);
  expect(await Promise.race([waits, settle().then(() => 'waits')])).toBe('waits');
});
