import type { Answered } from '../models.ts';
import type { DetectorMetadata } from './metadata.ts';
import { type Detection } from './nms.ts';
/** What a detector answered for one picture. */
export interface DetectorAnswer extends Answered {
  metadata: DetectorMetadata;
}
/**
 * What a detector sees that has at least `leastScore`, the surest first and `most` of it: boxes brought back to the picture
 * and cut at its edges, those without pixels left out, then class-wise NMS with the model's own IoU. null where a number is
 * none or a score no share. Throws an Error where an output is missing or of another size.
 */
export declare function detect(
  { outputs, classes, placement, metadata }: DetectorAnswer,
  {
    leastScore,
    most,
  }: {
    leastScore: number;
    most: number;
  },
): Detection[] | null;
