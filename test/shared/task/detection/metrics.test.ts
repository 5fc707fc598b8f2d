/** COCO's numbers against an implementation that follows their definition, point by point, on drawn pictures. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { assess, type Assessed } from '../../../../shared/task/detection/assessment.ts';
import type { Boxes } from '../../../../shared/task/detection/annotation.ts';
import { type Box, iou } from '../../../../shared/task/detection/box.ts';
import { measure } from '../../../../shared/task/detection/metrics.ts';
import { answerOf, type Seen } from './answers.ts';

const classes = ['cat', 'dog'];
const side = 64;
const box = fc
  .record({
    x: fc.integer({ min: 0, max: 40 }),
    y: fc.integer({ min: 0, max: 40 }),
    width: fc.integer({ min: 4, max: 24 }),
    height: fc.integer({ min: 4, max: 24 }),
  })
  .map((one): Box => one);
const truth = fc.tuple(fc.constantFrom(...classes), box).map(([name, one]) => ({ class: name, ...one }));
/** scores that no two detections of a sample share, so that their order is no matter of taste */
const scene = fc.record({
  truths: fc.uniqueArray(truth, { maxLength: 4, selector: (one) => JSON.stringify(one) }),
  seen: fc.uniqueArray(
    fc.record({ class: fc.constantFrom(...classes), score: fc.integer({ min: 2, max: 1000 }), box }),
    { maxLength: 6, selector: ({ score }) => score },
  ),
});
const scenes = fc.array(scene, { minLength: 1, maxLength: 5 });
type Scene = { truths: Boxes['boxes']; seen: { class: string; score: number; box: Box }[] };

/** Average precision of a class at one IoU, by its definition; null: there is no object. */
function averagePrecision(pictures: Scene[], name: string, threshold: number): number | null {
  const objects = pictures.reduce((sum, { truths }) => sum + truths.filter((one) => one.class === name).length, 0);
  if (objects === 0) return null;
  const judged = pictures.flatMap(({ truths, seen }, picture) => {
    const left = truths.filter((one) => one.class === name);
    const ofClass = seen.filter((one) => one.class === name).sort((a, b) => b.score - a.score);
    return ofClass.map((one) => {
      const fitting = left.filter((other) => iou(one.box, other) >= threshold);
      const best = fitting.reduce<Box | undefined>(
        // of equal ones the last, as COCO takes them
        (most, other) => (most === undefined || iou(one.box, other) >= iou(one.box, most) ? other : most),
        undefined,
      );
      if (best !== undefined) left.splice(left.indexOf(best as (typeof left)[number]), 1);
      return { right: best !== undefined, score: one.score, picture };
    });
  });
  judged.sort((a, b) => b.score - a.score || a.picture - b.picture);
  const points = judged.map((_, i) => {
    const hits = judged.slice(0, i + 1).filter(({ right }) => right).length;
    return { recall: hits / objects, precision: hits / (i + 1) };
  });
  const at = Array.from({ length: 101 }, (_, i) => {
    const enough = points.filter(({ recall }) => recall >= i * 0.01);
    return Math.max(0, ...enough.map(({ precision }) => precision));
  });
  return at.reduce((a, b) => a + b, 0) / at.length;
}

const assessed = ({ truths, seen }: Scene): Assessed => {
  const shown = seen.map(({ class: name, score, box: place }): Seen => ({
    class: name,
    score: score / 1000,
    box: place,
  }));
  return assess({ boxes: truths }, answerOf(classes, shown, { picture: { width: side, height: side } }), null);
};

test('average precision of each class is that of its definition, at 0.5 and as the mean over ten IoUs', () => {
  fc.assert(
    fc.property(scenes, (pictures) => {
      const measured = measure(pictures.map(assessed), classes);
      for (const [i, name] of classes.entries()) {
        const at = (threshold: number): number | null => averagePrecision(pictures, name, threshold);
        const all = Array.from({ length: 10 }, (_, t) => at((50 + 5 * t) / 100));
        const close = (value: number | null) => (value === null ? null : expect.closeTo(value, 9));
        const mean = all[0] === null ? null : all.reduce<number>((sum, value) => sum + (value ?? 0), 0) / 10;
        expect(measured.classes[i]).toMatchObject({ ap50: close(at(0.5)), ap: close(mean) });
      }
    }),
    { numRuns: 60 },
  );
});

test('shards add up, and the order of classes does not matter', () => {
  fc.assert(
    fc.property(scenes, (pictures) => {
      const kept = pictures.map((one) => JSON.parse(JSON.stringify(assessed(one))) as Assessed);
      expect(measure(kept, classes)).toEqual(measure(pictures.map(assessed), classes));
    }),
    { numRuns: 20 },
  );
});

test('a model that finds every object exactly has 1 in everything', () => {
  const truths = [
    { class: 'cat', x: 1, y: 2, width: 10, height: 10 },
    { class: 'cat', x: 30, y: 2, width: 33, height: 33 },
  ];
  const seen = truths.map(({ class: name, ...place }, i) => ({ class: name, score: 900 - i, box: place }));
  const { classes: perClass, ...all } = measure([assessed({ truths, seen })], classes);
  expect(all).toMatchObject({ ap: 1, ap50: 1, ap75: 1, apSmall: 1, apMedium: 1, apLarge: null, ar1: 0.5, ar100: 1 });
  expect(all.operating).toEqual({ objects: 2, found: 2, false: 0 });
  expect(perClass[1]).toMatchObject({ ap: null, objects: 0 });
});

test('a crowd is neither missed nor found, and boxes inside it are neither right nor wrong', () => {
  const truths = [{ class: 'cat', x: 0, y: 0, width: 40, height: 40, crowd: true as const }];
  const seen = [{ class: 'cat', score: 900, box: { x: 5, y: 5, width: 10, height: 10 } }];
  expect(measure([assessed({ truths, seen })], classes)).toMatchObject({
    ap50: null,
    operating: { objects: 0, found: 0, false: 0 },
  });
});

test('what is kept of a picture with 100 detections has less than 3 KB', () => {
  const seen = Array.from({ length: 400 }, (_, i) => ({
    ...{ class: classes[i % 2] ?? '', score: 1000 - i },
    box: { x: i % 20, y: Math.floor(i / 20), width: 20, height: 20 },
  }));
  const text = JSON.stringify(assessed({ truths: [], seen }));
  expect(text.length).toBeLessThan(3000);
  expect(text.length).toBeGreaterThan(100 * 14);
});
