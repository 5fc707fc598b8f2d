/** What became of each detection of a picture at every IoU and every size, in 14 bytes each. */
import { type SizeRange, type Truth } from './match.ts';
import type { Detection } from './nms.ts';
/** IoU at which a detection is right: 0.50, 0.55 .. 0.95. */
export declare const thresholds: number[];
/** COCO's sizes, in pixels that an object covers; what is on a border belongs to both sides. */
export declare const sizes: Readonly<Record<'all' | 'small' | 'medium' | 'large', SizeRange>>;
/** detections of a class in one picture that count */
export declare const maxDetections = 100;
/** The outcome at one threshold. */
export declare const outcomeAt: (code: number, threshold: number) => number;
/** Judges the detections of one picture, the surest first, by the truths of each class; base64 of a record for each. */
export declare function judge(detections: readonly Detection[], truths: readonly (readonly Truth[])[]): string;
/** The judged detections of one class, of many pictures: columns of the same length, of each picture the surest first. */
export interface JudgedClass {
  scores: Float32Array;
  /** how many of the class in its picture are surer */
  ranks: Uint8Array;
  /** by size, in the order of `sizes` */
  codes: Uint16Array[];
}
/** Of a class that no picture has detections of. */
export declare const noDetections: JudgedClass;
/** The records of all pictures, class by class. They are read twice, so that no more than their columns is held beside them. */
export declare function readJudged(pictures: readonly string[], classes: number): JudgedClass[];
