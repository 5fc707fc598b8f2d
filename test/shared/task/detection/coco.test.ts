/** COCO's numbers are those of pycocotools; test/fixtures/coco has where the values come from. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Assessed, ClassCounts } from '../../../../shared/task/detection/assessment.ts';
import { judge, sizes } from '../../../../shared/task/detection/judged.ts';
import { isIgnored, type Truth } from '../../../../shared/task/detection/match.ts';
import { type AveragePrecision, measure } from '../../../../shared/task/detection/metrics.ts';

const folder = path.resolve(import.meta.dirname, '../../../fixtures/coco');
const read = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));

type Bbox = [x: number, y: number, width: number, height: number];
interface Instances {
  images: { id: number }[];
  categories: { id: number; name: string }[];
  annotations: { image_id: number; category_id: number; bbox: Bbox; area: number; iscrowd: 0 | 1 }[];
}
type Numbers = Record<string, number | null>;
interface Expected {
  overall: Numbers;
  perClass: (Numbers & { name: string })[];
}
const { images, categories, annotations } = read('ground-truth.json') as Instances;
const results = read('detections.json') as { image_id: number; category_id: number; bbox: Bbox; score: number }[];
const expected = read('expected.json') as Expected;
const classes = categories.map(({ name }) => name);

const boxOf = ([x, y, width, height]: Bbox) => ({ x, y, width, height });

/** What an evaluation keeps of each picture. */
const pictures = images.map(({ id }): Assessed => {
  const truths = categories.map(({ id: category }): Truth[] =>
    annotations
      .filter((one) => one.image_id === id && one.category_id === category)
      .map(({ bbox, area, iscrowd }) => ({ box: boxOf(bbox), area, crowd: iscrowd === 1 })),
  );
  const detections = results
    .filter((one) => one.image_id === id)
    .map(({ category_id: category, score, bbox }) => ({
      class: categories.findIndex((one) => one.id === category),
      ...{ score, box: boxOf(bbox) },
    }))
    .sort((a, b) => b.score - a.score);
  const counted = truths.map((ofClass, index): ClassCounts => {
    const [all = 0, small = 0, medium = 0, large = 0] = Object.values(sizes).map(
      (size) => ofClass.filter((truth) => !isIgnored(truth, size)).length,
    );
    return [index, all, small, medium, large, 0, 0, 0, 0, 0];
  });
  return { classes: counted, detections: judge(detections, truths) };
});

const names = {
  ...{ AP: 'ap', AP50: 'ap50', AP75: 'ap75', APs: 'apSmall', APm: 'apMedium', APl: 'apLarge' },
  ...{ AR1: 'ar1', AR10: 'ar10', AR100: 'ar100', ARs: 'arSmall', ARm: 'arMedium', ARl: 'arLarge' },
} as const;

function mustEqual(found: AveragePrecision | undefined, wanted: Numbers, of: string): void {
  for (const [theirs, ours] of Object.entries(names) as [string, keyof AveragePrecision][]) {
    const value = wanted[theirs];
    if (value === undefined) continue;
    const close = value === null || value === -1 ? null : expect.closeTo(value, 9);
    expect([of, theirs, found?.[ours] ?? null]).toEqual([of, theirs, close]);
  }
}

test('the twelve numbers and those of each class equal those of pycocotools', () => {
  const measured = measure(pictures, classes);
  mustEqual(measured, expected.overall, 'overall');
  for (const [i, wanted] of expected.perClass.entries()) mustEqual(measured.classes[i], wanted, wanted.name);
});

test('shards add up: pictures that were kept apart give the same numbers', () => {
  const kept = [pictures.slice(0, 7), pictures.slice(7, 30), pictures.slice(30)].map((shard) => JSON.stringify(shard));
  expect(
    measure(
      kept.flatMap((text) => JSON.parse(text) as Assessed[]),
      classes,
    ),
  ).toEqual(measure(pictures, classes));
});
