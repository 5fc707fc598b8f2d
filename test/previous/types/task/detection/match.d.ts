/**
 * Which detections find which truths, as COCO's evaluation has it (`evaluateImg` in cocoapi's PythonAPI/pycocotools/cocoeval.py):
 * the surest detection chooses first, the truth that it overlaps most. A truth that is ignored (a crowd, or one that is not of
 * the size looked at) is taken only where no other fits, and makes the detection neither right nor wrong.
 */
import { type Box } from './box.ts';
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
export declare const outcomes: {
  readonly wrong: 0;
  readonly right: 1;
  readonly ignored: 2;
};
/** IoU of each detection (rows) with each truth; with a crowd, which holds many objects, the share of the detection inside. */
export declare function overlaps(detections: readonly Box[], truths: readonly Truth[]): Float64Array[];
/** Whether a truth does not count among objects of a size. */
export declare const isIgnored: ({ crowd, area }: Truth, size: SizeRange) => boolean;
export interface Matched {
  /** of each detection: one of `outcomes` */
  detections: Uint8Array;
  /** of each truth: whether a detection took it */
  found: boolean[];
}
/** Matches detections of one class, the surest first, with the truths of the class at one IoU threshold. */
export declare function match(
  detections: readonly Box[],
  truths: readonly Truth[],
  ious: readonly Float64Array[],
  {
    threshold,
    size,
  }: {
    threshold: number;
    size: SizeRange;
  },
): Matched;
