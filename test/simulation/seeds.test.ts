import { describe, expect, test } from 'vitest';
import { searchSeeds } from './search.ts';
import { simulateSeed } from './simulate.ts';

const timeout = 240_000;

describe('the real handlers over simulated services', () => {
  test('keep every invariant in 500 random simulations with many faults at once', { timeout }, async () => {
    const { violations, faults } = await searchSeeds({ from: 1, count: 500 });
    const again = violations.map(({ seed, violation }) => `npm run simulate -- --seed ${seed} --trace: ${violation}`);
    expect(again).toEqual([]);
    expect(Math.min(...[...faults.values()].map(({ times }) => times))).toBeGreaterThan(100);
  });

  test(
    'need nobody after an hour without a service: everything goes on, nothing is lost, and no training fails',
    { timeout },
    async () => {
      const { violations, faults } = await searchSeeds({ from: 1, count: 30, outages: true });
      const again = violations.map(
        ({ seed, violation }) => `npm run simulate -- --seed ${seed} --trace --outages: ${violation}`,
      );
      expect(again).toEqual([]);
      expect(faults.get('outage')?.times).toBeGreaterThan(10_000);
      expect(faults.get('outage')?.places.size).toBeGreaterThan(30);
    },
  );

  test('do the same when a seed is simulated again', async () => {
    const one = await simulateSeed(7, { keepTrace: true });
    const again = await simulateSeed(7, { keepTrace: true });
    expect(again.trace).toEqual(one.trace);
    expect(one.trace.length).toBeGreaterThan(500);
  });
});
