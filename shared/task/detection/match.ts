/**
 * Which detections find which truths, as COCO's evaluation has it (`evaluateImg` in cocoapi's PythonAPI/pycocotools/cocoeval.py):
 * the surest detection chooses first, the truth that it overlaps most. A truth that is ignored (a crowd, or one that is not of
 * the size looked at) is taken only where no other fits, and makes the detection neither right nor wrong.
 */
import { areaOf, type Box, intersection } from './box.ts';

/** A truth of one class; `area` is what it covers, which may be less than its box. */
export interface Truth {
  box: Box;
  area: number;
  crowd: boolean;
}

/** Sizes that are looked at: the pixels that an object covers, both ends belonging to it. */
export interface SizeRange {
  least: number;
  most: number;
}

/** What became of a detection. */
export const outcomes = { wrong: 0, right: 1, ignored: 2 } as const;

/** equal to the threshold is enough, whatever the last digit says */
const closest = 1 - 1e-10;

/** IoU of each detection (rows) with each truth; with a crowd, which holds many objects, the share of the detection inside. */
export function overlaps(detections: readonly Box[], truths: readonly Truth[]): Float64Array[] {
  return detections.map((detection) =>
    Float64Array.from(truths, ({ box, crowd }) => {
      const common = intersection(detection, box);
      return common === 0 ? 0 : common / (crowd ? areaOf(detection) : areaOf(detection) + areaOf(box) - common);
    }),
  );
}

const isOutside = (area: number, { least, most }: SizeRange): boolean => area < least || area > most;

/** Whether a truth does not count among objects of a size. */
export const isIgnored = ({ crowd, area }: Truth, size: SizeRange): boolean => crowd || isOutside(area, size);

export interface Matched {
  /** of each detection: one of `outcomes` */
  detections: Uint8Array;
  /** of each truth: whether a detection took it */
  found: boolean[];
}

/** Matches detections of one class, the surest first, with the truths of the class at one IoU threshold. */
export function match(
  detections: readonly Box[],
  truths: readonly Truth[],
  ious: readonly Float64Array[],
  { threshold, size }: { threshold: number; size: SizeRange },
): Matched {
  const ignored = truths.map((truth) => isIgnored(truth, size));
  // those that count come first, in the order given
  const order = [...truths.keys()].sort((a, b) => Number(ignored[a]) - Number(ignored[b]));
  const found = truths.map(() => false);
  const result = detections.map((detection, d) => {
    let [best, at] = [Math.min(threshold, closest), -1];
    for (const t of order) {
      if (found[t] === true && truths[t]?.crowd !== true) continue;
      if (at >= 0 && ignored[at] !== true && ignored[t] === true) break;
      const overlap = ious[d]?.[t] ?? 0;
      if (overlap < best) continue;
      [best, at] = [overlap, t];
    }
    if (at < 0) return isOutside(areaOf(detection), size) ? outcomes.ignored : outcomes.wrong;
    found[at] = true;
    return ignored[at] === true ? outcomes.ignored : outcomes.right;
  });
  return { detections: Uint8Array.from(result), found };
}
