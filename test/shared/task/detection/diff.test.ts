import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxes, type Boxes } from '../../../../shared/task/detection/annotation.ts';
import { iou } from '../../../../shared/task/detection/box.ts';
import { changesOf } from '../../../../shared/task/detection/diff.ts';

const cat = { class: 'cat', x: 10, y: 10, width: 20, height: 20 };
const dog = { class: 'dog', x: 60, y: 60, width: 10, height: 10 };
const nothing = { added: [], removed: [], moved: [], relabelled: [] };
const of = (...all: Boxes['boxes']): Boxes => boxes.parse({ boxes: all });

const place = fc.integer({ min: 0, max: 8 });
const extent = fc.integer({ min: 1, max: 8 });
const drawn = fc.record({ class: fc.constantFrom('cat', 'dog'), x: place, y: place, width: extent, height: extent });
const annotation = fc
  .uniqueArray(drawn, { maxLength: 6, selector: (box) => JSON.stringify(box) })
  .map((all) => of(...all));

test('a box that is added, removed, moved or of another class is told as that', () => {
  expect(changesOf(of(cat), of(cat, dog))).toEqual({ ...nothing, added: [dog] });
  expect(changesOf(of(cat, dog), of(dog))).toEqual({ ...nothing, removed: [cat] });
  const moved = { ...cat, x: 13 };
  expect(changesOf(of(cat, dog), of(moved, dog))).toEqual({ ...nothing, moved: [{ before: cat, after: moved }] });
  const cow = { ...moved, class: 'cow' };
  expect(changesOf(of(cat, dog), of(cow, dog))).toEqual({ ...nothing, relabelled: [{ before: cat, after: cow }] });
  const far = { ...cat, x: 40 };
  expect(changesOf(of(cat), of(far))).toEqual({ ...nothing, added: [far], removed: [cat] });
});

test('two boxes that change places with their neighbours go to the nearest', () => {
  const [a, b] = [cat, { ...cat, x: 18 }];
  const [c, d] = [
    { ...cat, x: 11 },
    { ...cat, x: 19 },
  ];
  expect(changesOf(of(a, b), of(c, d)).moved).toEqual(
    expect.arrayContaining([
      { before: a, after: c },
      { before: b, after: d },
    ]),
  );
});

test('the changes lead from the one annotation to the other', () => {
  fc.assert(
    fc.property(annotation, annotation, (before, after) => {
      const { added, removed, moved, relabelled } = changesOf(before, after);
      const pairs = [...moved, ...relabelled];
      const gone = new Set([...removed, ...pairs.map((one) => one.before)].map((box) => JSON.stringify(box)));
      const kept = before.boxes.filter((box) => !gone.has(JSON.stringify(box)));
      expect(of(...kept, ...added, ...pairs.map((one) => one.after))).toEqual(after);
    }),
  );
});

test('pairs are of one object, moved ones of one class, and no box that is left has another that fits', () => {
  fc.assert(
    fc.property(annotation, annotation, (before, after) => {
      const { added, removed, moved, relabelled } = changesOf(before, after);
      for (const one of [...moved, ...relabelled]) expect(iou(one.before, one.after)).toBeGreaterThan(0.5);
      for (const one of moved) expect(one.before.class).toBe(one.after.class);
      for (const one of relabelled) expect(one.before.class).not.toBe(one.after.class);
      for (const a of removed) for (const b of added) expect(iou(a, b)).toBeLessThanOrEqual(0.5);
    }),
  );
});

test('the same boxes, in whatever order, are no change', () => {
  fc.assert(
    fc.property(annotation, (one) => {
      expect(changesOf(one, { boxes: one.boxes.toReversed() })).toEqual(nothing);
    }),
  );
});

test('2,000 boxes in one place that all moved a little are paired, each with its own', () => {
  const many = (y: number): Boxes =>
    of(...Array.from({ length: 2000 }, (_, i) => ({ class: 'cat', x: i / 100, y, width: 100, height: 100 })));
  const { moved, ...others } = changesOf(many(5), many(6));
  expect(others).toEqual({ added: [], removed: [], relabelled: [] });
  expect(moved.filter(({ before, after }) => before.x === after.x)).toHaveLength(2000);
});
