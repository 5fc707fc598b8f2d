/** Average precision and recall of one class, as COCO has them (`accumulate` in cocoapi's PythonAPI/pycocotools/cocoeval.py). */
import { type JudgedClass } from './judged.ts';
export interface SizeMetrics {
  /** precision at 101 recalls, for each threshold */
  precision: Float64Array[];
  /** greatest recall, for each threshold */
  recall: number[];
}
/** Indexes of detections, the surest first, equal ones in their order. */
export declare const bySureness: ({ scores }: JudgedClass) => Uint32Array;
/**
 * Precision and recall of a class of which there are `objects` of a size, given the outcomes of its detections at that size,
 * `most` of each picture.
 */
export declare function measureSize(
  judged: JudgedClass,
  order: Uint32Array,
  codes: Uint16Array,
  objects: number,
  most?: number,
): SizeMetrics;
