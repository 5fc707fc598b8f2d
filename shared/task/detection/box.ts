/** Boxes: a place in a picture, by its top left corner and its size in pixels. */

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Pixels that a box covers. */
export const areaOf = ({ width, height }: Box): number => width * height;

/** Pixels that two boxes have in common. */
export function intersection(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  if (width <= 0) return 0;
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return height <= 0 ? 0 : width * height;
}

/** Intersection over union of two boxes: 0, nothing in common, to 1, the same; 0 where neither covers anything. */
export function iou(a: Box, b: Box): number {
  const common = intersection(a, b);
  return common === 0 ? 0 : common / (areaOf(a) + areaOf(b) - common);
}

/** A number of pixels, or a score, with so many decimals. */
export function rounded(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  // adding zero makes one of the negative zero
  return Math.round(value * scale) / scale + 0;
}
