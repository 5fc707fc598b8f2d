import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBuckets } from '../../shared/rate-limit.ts';

test('a burst is allowed at once, then as many as the rate says', () => {
  const buckets = createBuckets({ perSecond: 2, burst: 3 }, 10);
  const take = (nowMs: number) => buckets.take('a', nowMs);
  expect([take(0), take(0), take(0)].map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
    [true, 2],
    [true, 1],
    [true, 0],
  ]);
  expect(take(0)).toEqual({ allowed: false, remaining: 0, fullInSeconds: 2, againInSeconds: 1 });
  expect(take(500)).toMatchObject({ allowed: true, againInSeconds: 1 });
  expect(take(500).allowed).toBe(false);
  expect(buckets.take('b', 500)).toEqual({ allowed: true, remaining: 2, fullInSeconds: 1, againInSeconds: 0 });
});

test('what was given back can be taken again, and never makes more than the burst', () => {
  const buckets = createBuckets({ perSecond: 1, burst: 1 }, 10);
  buckets.refund('a');
  buckets.take('a', 0);
  buckets.refund('a');
  buckets.refund('a');
  expect([buckets.take('a', 0).allowed, buckets.take('a', 0).allowed]).toEqual([true, false]);
});

test('of more names than may be kept the one that was not asked for the longest is forgotten', () => {
  const buckets = createBuckets({ perSecond: 1e-9, burst: 1 }, 2);
  for (const name of ['a', 'b', 'a', 'c']) buckets.take(name, 0);
  expect(['a', 'b'].map((name) => buckets.take(name, 0).allowed)).toEqual([false, true]);
});

test('whatever the times, never more than the burst and the rate together, and after the wait one is allowed', () => {
  const steps = fc.array(fc.integer({ min: -2000, max: 5000 }), { maxLength: 60 });
  const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 20 }), burst: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(rates, steps, (rate, waits) => {
      const buckets = createBuckets(rate, 1);
      let [now, forwardMs, allowed] = [1e9, 0, 0];
      for (const wait of waits) {
        now += wait;
        forwardMs += Math.max(0, wait);
        const taken = buckets.take('a', now);
        if (taken.allowed) allowed++;
        else {
          now += taken.againInSeconds * 1000;
          forwardMs += taken.againInSeconds * 1000;
          expect(buckets.take('a', now).allowed).toBe(true);
          allowed++;
        }
        expect(allowed).toBeLessThanOrEqual(rate.burst + (forwardMs / 1000) * rate.perSecond + 1e-6);
      }
    }),
  );
});
