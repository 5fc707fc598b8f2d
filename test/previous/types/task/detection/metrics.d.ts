/** How good a detector is on the test samples: COCO's numbers, and how it works at its operating threshold. */
import type { Assessed } from './assessment.ts';
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
/** COCO's numbers of the candidate and its work at the operating threshold, in all and class by class. */
export declare function measure(assessed: readonly Assessed[], classes: readonly string[]): Measured;
