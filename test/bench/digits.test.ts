/** The digits that the benches upload. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digitPixels, scans } from './digits.ts';

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('12,000 scans are 12,000 different pictures', () => {
  const digests = Array.from({ length: 12_000 }, (_, i) => digest(digitPixels(i % 10, Math.floor(i / 10))));
  expect(new Set(digests).size).toBe(12_000);
});

test('a scan that comes again differs in its first pixel alone, by how often it came', () => {
  // there are 863 scans of a five
  const first = digitPixels(5, 7);
  expect(first[0]).toBe(0);
  expect([...digitPixels(5, 7 + 863)]).toEqual([1, ...first.subarray(1)]);
  expect([...digitPixels(5, 7 + 2 * 863)]).toEqual([2, ...first.subarray(1)]);
});

test('scans are the same files every time, and all different, also where they come again', async () => {
  const once = await scans(8600, 8700);
  expect(new Set(once.map(({ bytes }) => digest(bytes))).size).toBe(100);
  expect(await scans(8600, 8700)).toEqual(once);
});
