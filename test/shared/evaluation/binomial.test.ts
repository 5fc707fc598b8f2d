import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawnTail, exactInterval, upperTail } from '../../../shared/evaluation/binomial.ts';

/** A fraction of big integers as a number, with 17 digits, however small it is. */
function toNumber(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const shift = BigInt(Math.max(0, denominator.toString(2).length - numerator.toString(2).length + 64));
  return Number((numerator << shift) / denominator) / 2 ** Number(shift);
}

/** P(X >= k) for X ~ Binomial(n, a / b), in integers. */
function exactUpperTail(k: number, n: number, a: bigint, b: bigint): number {
  let choose = 1n;
  let sum = 0n;
  for (let i = 0; i <= n; i++) {
    if (i >= k) sum += choose * a ** BigInt(i) * (b - a) ** BigInt(n - i);
    choose = (choose * BigInt(n - i)) / BigInt(i + 1);
  }
  return toNumber(sum, b ** BigInt(n));
}

describe('the upper tail', () => {
  test('agrees with integer arithmetic', () => {
    const cases = fc
      .tuple(fc.integer({ min: 1, max: 300 }), fc.nat(1000), fc.integer({ min: 1, max: 999 }))
      .map(([n, k, a]) => ({ n, k: k % (n + 2), a }));
    fc.assert(
      fc.property(cases, ({ n, k, a }) => {
        const exact = exactUpperTail(k, n, BigInt(a), 1000n);
        const got = upperTail(k, n, a / 1000);
        expect(Math.abs(got - exact)).toBeLessThan(1e-12 + 1e-9 * exact);
      }),
      { numRuns: 200 },
    );
  });

  test('agrees with it beyond the table of factorials', () => {
    for (const [k, n] of [
      [1100, 2000],
      [950, 2000],
      [2000, 2000],
      [255, 256],
      [130, 257],
    ] as const) {
      const exact = exactUpperTail(k, n, 1n, 2n);
      expect(Math.abs(upperTail(k, n, 0.5) - exact)).toBeLessThan(1e-9 * exact + 1e-13);
    }
  });

  test('is certain for nothing, impossible beyond all, and never leaves 0 to 1', () => {
    expect([upperTail(0, 10, 0.3), upperTail(11, 10, 0.3), upperTail(3, 10, 0), upperTail(3, 10, 1)]).toEqual([
      1, 0, 0, 1,
    ]);
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), fc.double({ min: 0, max: 1, noNaN: true }), (k, n, p) => {
        const value = upperTail(k, n, p);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(upperTail(k + 1, n, p)).toBeLessThanOrEqual(value + 1e-12);
      }),
      { numRuns: 200 },
    );
  });

  test('is quick and sane for a hundred thousand', () => {
    expect(upperTail(50_000, 100_000, 0.5)).toBeCloseTo(0.5, 2);
    expect(upperTail(51_000, 100_000, 0.5)).toBeLessThan(1e-9);
  });
});

describe('the tail of what is drawn', () => {
  test('is that of the lady tasting tea', () => {
    expect(drawnTail(4, 4, 4, 8)).toBeCloseTo(1 / 70, 12);
    expect(drawnTail(3, 4, 4, 8)).toBeCloseTo(17 / 70, 12);
  });

  test('counts the ways in which a handful can be drawn', () => {
    const few = fc
      .nat(9)
      .chain((total) => fc.tuple(fc.nat(total), fc.nat(total), fc.nat(total + 1), fc.constant(total)));
    const ones = (n: number): number => n.toString(2).replaceAll('0', '').length;
    fc.assert(
      fc.property(few, ([drawn, marked, k, total]) => {
        const hands = Array.from({ length: 2 ** total }, (_, hand) => hand).filter((hand) => ones(hand) === drawn);
        const fit = hands.filter((hand) => ones(hand & (2 ** marked - 1)) >= k);
        expect(drawnTail(k, drawn, marked, total)).toBeCloseTo(fit.length / hands.length, 10);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the exact interval', () => {
  test('is the one of published tables', () => {
    // Clopper and Pearson at 95 %: 8 of 10, 0 of 20 (1 - 0.025^(1/20)), 95 of 100
    expect(exactInterval(8, 10, 0.95).low).toBeCloseTo(0.4439, 4);
    expect(exactInterval(8, 10, 0.95).high).toBeCloseTo(0.9748, 4);
    expect(exactInterval(0, 20, 0.95)).toEqual({ low: 0, high: expect.closeTo(1 - 0.025 ** (1 / 20), 9) });
    expect(exactInterval(20, 20, 0.95)).toEqual({ low: expect.closeTo(0.025 ** (1 / 20), 9), high: 1 });
    expect(exactInterval(95, 100, 0.95).low).toBeCloseTo(0.8872, 4);
    expect(exactInterval(0, 0, 0.95)).toEqual({ low: 0, high: 1 });
  });

  test('leaves exactly the asked chance outside on either side', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(300), (n, r) => {
        const k = 1 + (r % n);
        const { low, high } = exactInterval(k, n, 0.95);
        expect(low).toBeLessThanOrEqual(k / n);
        expect(high).toBeGreaterThanOrEqual(k / n);
        expect(upperTail(k, n, low)).toBeCloseTo(0.025, 6);
        if (k < n) expect(1 - upperTail(k + 1, n, high)).toBeCloseTo(0.025, 6);
      }),
      { numRuns: 100 },
    );
  });
});
