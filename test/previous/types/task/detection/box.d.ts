/** Boxes: a place in a picture, by its top left corner and its size in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
/** Pixels that a box covers. */
export declare const areaOf: ({ width, height }: Box) => number;
/** Pixels that two boxes have in common. */
export declare function intersection(a: Box, b: Box): number;
/** Intersection over union of two boxes: 0, nothing in common, to 1, the same; 0 where neither covers anything. */
export declare function iou(a: Box, b: Box): number;
/** A number of pixels, or a score, with so many decimals. */
export declare function rounded(value: number, decimals: number): number;
