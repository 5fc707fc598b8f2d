/** Non-maximum suppression: of detections of one class that overlap, the surest is kept. */
import { type Box } from './box.ts';
/** Something that a model sees: the class by its index. */
export interface Detection {
  class: number;
  score: number;
  box: Box;
}
/**
 * Keeps of each class what overlaps nothing surer by an IoU above `limit` (1: everything is kept); `sorted` begins with the
 * surest, and the first `most` that are kept are returned, in that order.
 */
export declare function suppress(sorted: readonly Detection[], limit: number, most: number): Detection[];
