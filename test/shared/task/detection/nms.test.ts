import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Box, iou } from '../../../../shared/task/detection/box.ts';
import { type Detection, suppress } from '../../../../shared/task/detection/nms.ts';

const box: fc.Arbitrary<Box> = fc.record({
  x: fc.integer({ min: 0, max: 20 }),
  y: fc.integer({ min: 0, max: 20 }),
  width: fc.integer({ min: 1, max: 20 }),
  height: fc.integer({ min: 1, max: 20 }),
});
const detections = fc
  .array(fc.record({ class: fc.integer({ min: 0, max: 2 }), score: fc.double({ min: 0, max: 1, noNaN: true }), box }), {
    maxLength: 40,
  })
  .map((found) => found.sort((a, b) => b.score - a.score));
const limit = fc.constantFrom(0, 0.3, 0.5, 0.9);

/** By the definition: one is kept where no kept one of its class that comes before overlaps it by more. */
function byDefinition(sorted: readonly Detection[], most: number): Detection[] {
  const isKept: boolean[] = [];
  for (const [i, one] of sorted.entries()) {
    const before = sorted.slice(0, i).filter((other, j) => isKept[j] && other.class === one.class);
    isKept[i] = before.every((other) => overlapOf(other.box, one.box) <= most);
  }
  return sorted.filter((_, i) => isKept[i]);
}

/** Counting the pixels of boxes whose corners are whole. */
function overlapOf(a: Box, b: Box): number {
  const pixels = ({ x, y, width, height }: Box): Set<string> => {
    const all = new Set<string>();
    for (let i = x; i < x + width; i++) for (let j = y; j < y + height; j++) all.add(`${i},${j}`);
    return all;
  };
  const [first, second] = [pixels(a), pixels(b)];
  const common = [...first].filter((pixel) => second.has(pixel)).length;
  return common / (first.size + second.size - common);
}

test('intersection over union is that of the pixels', () => {
  fc.assert(
    fc.property(box, box, (a, b) => {
      expect(iou(a, b)).toBeCloseTo(overlapOf(a, b), 12);
    }),
  );
});

test('what is kept is what the definition keeps', () => {
  fc.assert(
    fc.property(detections, limit, (sorted, most) => {
      expect(suppress(sorted, most, 1000)).toEqual(byDefinition(sorted, most));
    }),
    { numRuns: 50 },
  );
});

test('a limit of 1 keeps everything, and no more is kept than asked for, the surest', () => {
  fc.assert(
    fc.property(detections, fc.integer({ min: 0, max: 10 }), (sorted, most) => {
      expect(suppress(sorted, 1, 1000)).toEqual(sorted);
      expect(suppress(sorted, 0.5, most)).toEqual(suppress(sorted, 0.5, 1000).slice(0, most));
    }),
  );
});
