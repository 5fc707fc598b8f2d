import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { halvesOf, numbers } from '../../../../trainers/embedded/detection/half.ts';

const there = (value: number): number => numbers[halvesOf(Float32Array.of(value))[0] ?? 0] ?? Number.NaN;

test('half-precision numbers are the nearest, with a sign', () => {
  expect([1, -2, 0.5, 65_504, 1 / 3].map(there)).toEqual([1, -2, 0.5, 65_504, 0.333251953125]);
  const value = fc.double({ min: -65_000, max: 65_000, noNaN: true }).filter((one) => Math.abs(one) > 1e-4);
  fc.assert(fc.property(value, (one) => Math.abs(there(one) - one) <= Math.abs(one) * 2 ** -11 * 1.001));
});

test('what a half cannot hold is the largest one, or nothing', () => {
  expect([1e9, -1e9, 1e-7, -1e-7].map((value) => there(value) + 0)).toEqual([65_504, -65_504, 0, 0]);
});
