import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AnnotatedBox,
  boxes,
  type Boxes,
  brief,
  canonical,
  counts,
  maxBoxes,
  onPicture,
  say,
} from '../../../../shared/task/detection/annotation.ts';

const cat = { class: 'cat', x: 10, y: 20, width: 30, height: 40 };
const whyNot = (given: unknown): string | undefined => boxes.safeParse(given).error?.issues[0]?.message;

const drawn = fc.record({
  class: fc.constantFrom('cat', 'dog', 'é'),
  x: fc.double({ min: -5, max: 500, noNaN: true }),
  y: fc.double({ min: -5, max: 500, noNaN: true }),
  width: fc.double({ min: 0.01, max: 500, noNaN: true }),
  height: fc.double({ min: 0.01, max: 500, noNaN: true }),
});
const annotations = fc
  .array(drawn, { maxLength: 8 })
  .filter((given) => boxes.safeParse({ boxes: given }).success)
  .map((given) => ({ boxes: given }));

test('boxes in another order are the same annotation', () => {
  const shuffled = annotations.chain((given) =>
    fc.tuple(fc.constant(given), fc.shuffledSubarray(given.boxes, { minLength: given.boxes.length })),
  );
  fc.assert(
    fc.property(shuffled, ([given, other]) => {
      const parsed = boxes.parse(given);
      expect(boxes.parse({ boxes: other })).toEqual(parsed);
      expect(canonical({ boxes: parsed.boxes.toReversed() })).toBe(canonical(parsed));
    }),
  );
});

test('the one form is that of its own text, with two decimals', () => {
  fc.assert(
    fc.property(annotations, (given) => {
      const parsed = boxes.parse(given);
      expect(boxes.parse(JSON.parse(canonical(parsed)))).toEqual(parsed);
      expect(JSON.stringify(parsed)).toBe(canonical(parsed));
      for (const { x, width } of parsed.boxes) expect([x, width].map((n) => Number(n.toFixed(2)))).toEqual([x, width]);
    }),
  );
});

test('boxes that differ by a hundredth, by their class or by being a crowd are other annotations', () => {
  const text = (box: AnnotatedBox): string => canonical(boxes.parse({ boxes: [box] }));
  const texts = [cat, { ...cat, x: 10.01 }, { ...cat, class: 'dog' }, { ...cat, crowd: true as const }].map(text);
  expect(new Set(texts).size).toBe(4);
  expect(text({ ...cat, x: 10.004 })).toBe(text(cat));
  expect(boxes.parse({ boxes: [{ ...cat, crowd: false }] })).toEqual({ boxes: [cat] });
});

test('no boxes is an annotation, of a negative picture', () => {
  expect(boxes.parse({ boxes: [] })).toEqual({ boxes: [] });
  expect([brief({ boxes: [] }), say({ boxes: [] }), counts({ boxes: [] })]).toEqual(['no boxes', 'without boxes', []]);
});

test.each([
  ['no boxes', {}],
  ['something besides', { boxes: [], label: 'cat' }],
  ['a box without a class', { boxes: [{ x: 1, y: 1, width: 1, height: 1 }] }],
  ['not-a-number', { boxes: [{ ...cat, x: Number.NaN }] }],
  ['infinity', { boxes: [{ ...cat, width: Number.POSITIVE_INFINITY }] }],
  ['a huge number', { boxes: [{ ...cat, x: 1e308 }] }],
  ['a number as text', { boxes: [{ ...cat, x: '1' }] }],
  ['no width', { boxes: [{ ...cat, width: 0 }] }],
  ['a height that is none at two decimals', { boxes: [{ ...cat, height: 0.004 }] }],
  ['a negative height', { boxes: [{ ...cat, height: -3 }] }],
  ['a class name with a slash', { boxes: [{ ...cat, class: 'a/b' }] }],
  ['a field that no box has', { boxes: [{ ...cat, angle: 3 }] }],
])('%s is refused', (_what, given) => {
  expect(whyNot(given)).toEqual(expect.any(String));
});

test('the same box twice is refused, and says which', () => {
  expect(whyNot({ boxes: [cat, { ...cat, class: 'dog' }, { ...cat, x: 10.001 }] })).toContain(
    'the box of "cat" at 10, 20 is there twice',
  );
});

test('2,000 boxes are taken and one more is not', () => {
  const many = (count: number): Boxes => ({
    boxes: Array.from({ length: count }, (_, i) => ({ ...cat, x: i % 100, y: Math.floor(i / 100) })),
  });
  expect(boxes.parse(many(maxBoxes)).boxes).toHaveLength(2000);
  expect(whyNot(many(maxBoxes + 1))).toBe('a picture has 2000 boxes at most');
});

test('what hangs over the edge by a pixel is cut off there', () => {
  const hanging = { class: 'cat', x: -0.5, y: 99, width: 50.5, height: 2 };
  expect(onPicture({ boxes: [hanging] }, { width: 50, height: 100 })).toEqual({
    annotation: { boxes: [{ class: 'cat', x: 0, y: 99, width: 50, height: 1 }] },
  });
});

test('boxes that are the same once what hangs over is cut off are one object, annotated twice', () => {
  const [hanging, inside] = [
    { class: 'cat', x: -0.5, y: 10, width: 10.5, height: 5 },
    { class: 'cat', x: 0, y: 10, width: 10, height: 5 },
  ];
  const given = boxes.parse({ boxes: [hanging, inside] });
  expect(onPicture(given, { width: 50, height: 100 })).toEqual({
    why: 'the box of "cat" at 0, 10 is there twice: an object is annotated once',
  });
});

test.each([
  ['hangs over further', { ...cat, x: 80 }],
  ['lies beside it', { ...cat, x: 200 }],
  ['has only what is cut off', { class: 'cat', x: 100, y: 0, width: 0.5, height: 5 }],
])('a box that %s is none of the picture, which is said with its size', (_what, box) => {
  expect(onPicture({ boxes: [box] }, { width: 100, height: 100 })).toEqual({
    why: expect.stringContaining('not inside the picture, which has 100 x 100'),
  });
});

test('every box that is taken lies inside its picture and covers something', () => {
  const picture = fc.record({ width: fc.integer({ min: 1, max: 600 }), height: fc.integer({ min: 1, max: 600 }) });
  fc.assert(
    fc.property(annotations, picture, (given, size) => {
      const placed = onPicture(boxes.parse(given), size);
      if ('why' in placed) return;
      for (const { x, y, width, height } of placed.annotation.boxes) {
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
        expect(Math.min(width, height)).toBeGreaterThan(0);
        expect(x + width).toBeLessThanOrEqual(size.width + 1e-9);
        expect(y + height).toBeLessThanOrEqual(size.height + 1e-9);
      }
      expect(onPicture(placed.annotation, size)).toEqual(placed);
      expect(boxes.parse(placed.annotation)).toEqual(placed.annotation);
    }),
  );
});

test('a version counts boxes by class, and few words tell them', () => {
  const three = { boxes: [cat, { ...cat, x: 1 }, { ...cat, class: 'dog' }] };
  expect(counts(three)).toEqual([
    ['cat', 2],
    ['dog', 1],
  ]);
  expect(brief(three)).toBe('2 cat, 1 dog');
});
