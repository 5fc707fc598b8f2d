/** How good a detector is on the test samples: COCO's numbers, and how it works at its operating threshold. */
import type { Assessed } from './assessment.ts';
import { bySureness, measureSize, type SizeMetrics } from './average-precision.ts';
import { type JudgedClass, noDetections, readJudged, sizes, thresholds } from './judged.ts';

type Size = keyof typeof sizes;
const sizeNames = Object.keys(sizes) as Size[];

/** COCO's numbers of a class, or their means; null where there is no object. */
export interface AveragePrecision {
  /** mean over the IoUs 0.50, 0.55 .. 0.95, and at 0.50 and 0.75 alone */
  ap: number | null;
  ap50: number | null;
  ap75: number | null;
  /** `ap` of objects below 32 x 32 pixels, up to 96 x 96, and above */
  apSmall: number | null;
  apMedium: number | null;
  apLarge: number | null;
  /** recall, as the mean over the same IoUs, with 1, 10 and 100 detections of each picture */
  ar1: number | null;
  ar10: number | null;
  ar100: number | null;
  arSmall: number | null;
  arMedium: number | null;
  arLarge: number | null;
}

/** What whoever works with the model meets: at its operating threshold and an IoU of 0.5. */
export interface Operating {
  objects: number;
  found: number;
  /** detections of nothing */
  false: number;
}

export interface Measured extends AveragePrecision {
  samples: number;
  operating: Operating;
  /** in the order of the classes */
  classes: (AveragePrecision & Operating)[];
  /** samples that the model has no answer for (not-a-number); missing: none */
  unanswered?: number;
}

const mean = (values: Iterable<number>): number | null => {
  const all = [...values];
  return all.length === 0 ? null : all.reduce((sum, value) => sum + value, 0) / all.length;
};

/** What the pictures say of one class, added up. */
interface ClassSums extends Operating {
  objectsOf: Record<Size, number>;
}

function addUp(assessed: readonly Assessed[], classes: number): ClassSums[] {
  const sums = Array.from({ length: classes }, (): ClassSums => ({
    ...{ objects: 0, found: 0, false: 0 },
    objectsOf: { all: 0, small: 0, medium: 0, large: 0 },
  }));
  for (const picture of assessed)
    for (const [index, all, small, medium, large, found, , , wrong] of picture.classes) {
      const sum = sums[index];
      if (sum === undefined) continue;
      sum.objects += all;
      sum.found += found;
      sum.false += wrong;
      const { objectsOf } = sum;
      for (const [size, more] of Object.entries({ all, small, medium, large })) objectsOf[size as Size] += more;
    }
  return sums;
}

/** COCO's numbers of a class. */
function ofClass(judged: JudgedClass, objectsOf: Record<Size, number>): AveragePrecision {
  const order = bySureness(judged);
  const at = (size: Size, most?: number) => {
    const objects = objectsOf[size];
    if (objects === 0) return null;
    return measureSize(judged, order, judged.codes[sizeNames.indexOf(size)] ?? new Uint16Array(), objects, most);
  };
  const [all, small, medium, large] = [at('all'), at('small'), at('medium'), at('large')];
  const ap = (found: SizeMetrics | null): number | null =>
    found === null ? null : mean(found.precision.map((curve) => mean(curve) ?? 0));
  const apAt = (threshold: number): number | null =>
    all === null ? null : mean(all.precision[thresholds.indexOf(threshold)] ?? []);
  const ar = (found: SizeMetrics | null): number | null => (found === null ? null : mean(found.recall));
  return {
    ...{ ap: ap(all), ap50: apAt(0.5), ap75: apAt(0.75) },
    ...{ apSmall: ap(small), apMedium: ap(medium), apLarge: ap(large) },
    ...{ ar1: ar(at('all', 1)), ar10: ar(at('all', 10)), ar100: ar(all) },
    ...{ arSmall: ar(small), arMedium: ar(medium), arLarge: ar(large) },
  };
}

/** Means over the classes that have such objects. */
function ofAll(classes: readonly AveragePrecision[]): AveragePrecision {
  const over = (name: keyof AveragePrecision): number | null => mean(classes.flatMap((one) => one[name] ?? []));
  return {
    ...{ ap: over('ap'), ap50: over('ap50'), ap75: over('ap75') },
    ...{ apSmall: over('apSmall'), apMedium: over('apMedium'), apLarge: over('apLarge') },
    ...{ ar1: over('ar1'), ar10: over('ar10'), ar100: over('ar100') },
    ...{ arSmall: over('arSmall'), arMedium: over('arMedium'), arLarge: over('arLarge') },
  };
}

/** COCO's numbers of the candidate and its work at the operating threshold, in all and class by class. */
export function measure(assessed: readonly Assessed[], classes: readonly string[]): Measured {
  const judged = readJudged(
    assessed.map(({ detections }) => detections),
    classes.length,
  );
  const sums = addUp(assessed, classes.length);
  const perClass = sums.map(({ objectsOf, ...operating }, i) => ({
    ...ofClass(judged[i] ?? noDetections, objectsOf),
    ...operating,
  }));
  const total = (name: keyof Operating): number => sums.reduce((sum, one) => sum + one[name], 0);
  const unanswered = assessed.filter((one) => one.unanswered === true).length;
  return {
    samples: assessed.length,
    ...ofAll(perClass),
    operating: { objects: total('objects'), found: total('found'), false: total('false') },
    classes: perClass,
    ...(unanswered === 0 ? {} : { unanswered }),
  };
}
