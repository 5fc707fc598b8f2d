import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { placementOf } from '../../../../shared/image/placement.ts';
import { detect } from '../../../../shared/task/detection/detect.ts';
import { decode, maxAnswered, uncertainty } from '../../../../shared/task/detection/prediction.ts';
import { answerOf, type Seen } from './answers.ts';

const classes = ['cat', 'dog'];
const at = (i: number, score: number): Seen => ({
  class: classes[i % 2] ?? '',
  score,
  box: { x: (i * 7) % 600, y: Math.floor(i / 80) * 7, width: 6, height: 6 },
});
const picture = { width: 640, height: 640 };

test('the surest 300 boxes are answered, the surest first', () => {
  const seen = Array.from({ length: 1000 }, (_, i) => at(i, 0.3 + (i % 500) / 1000));
  const { boxes } = decode(answerOf(classes, seen, { picture })) ?? { boxes: [] };
  expect(boxes).toHaveLength(maxAnswered);
  const scores = boxes.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  expect(scores[0]).toBe(0.799);
  expect(scores.at(-1)).toBe(0.65);
});

test('whatever a model answers, boxes lie inside the picture and cover something, to two decimals', () => {
  const coordinate = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const seen = fc.record({
    class: fc.constantFrom(...classes),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    box: fc.record({ x: coordinate, y: coordinate, width: coordinate, height: coordinate }),
  });
  const side = fc.integer({ min: 1, max: 3000 });
  fc.assert(
    fc.property(fc.array(seen, { maxLength: 10 }), side, side, (all, width, height) => {
      const answered = answerOf(classes, all, { nmsIou: 0.6 });
      const placement = placementOf({ width, height }, { width: 64, height: 64, fit: 'letterbox' });
      for (const box of decode({ ...answered, placement })?.boxes ?? []) {
        expect(box.score).toBeGreaterThanOrEqual(0.3);
        expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
        expect(Math.min(box.width, box.height)).toBeGreaterThan(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width + 1e-9);
        expect(box.y + box.height).toBeLessThanOrEqual(height + 1e-9);
        for (const side of [box.x, box.y, box.width, box.height]) expect(Number(side.toFixed(2))).toBe(side);
      }
    }),
  );
});

test('of more candidates than are looked at the surest count', () => {
  const seen = Array.from({ length: 12_000 }, (_, i) => at(i, 0.4));
  const best = { ...at(0, 0.9), box: { x: 630, y: 630, width: 8, height: 8 } };
  const found = detect(answerOf(classes, [...seen, best], { picture }), { leastScore: 0.1, most: 5 });
  expect(found?.[0]).toMatchObject({ score: expect.closeTo(0.9, 6), box: best.box });
  expect(found).toHaveLength(5);
});

test('outputs of another size are an error of the model', () => {
  const answered = answerOf(classes, [at(0, 0.5)]);
  expect(() => decode({ ...answered, classes: ['cat'] })).toThrow('8 coordinates and 4 scores for 1 classes');
  expect(() => decode({ ...answered, outputs: {} })).toThrow('0 coordinates');
});

test('a model is as unsure of a picture as of its least sure box', () => {
  const box = { class: 'cat', x: 0, y: 0, width: 1, height: 1 };
  expect(uncertainty({ boxes: [] })).toBe(0);
  expect(
    uncertainty({
      boxes: [
        { ...box, score: 0.9 },
        { ...box, score: 0.4 },
      ],
    }),
  ).toBeCloseTo(0.6, 9);
});
