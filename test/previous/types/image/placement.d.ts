/** Where a picture lies in the input of a model, and the way back to its own pixels. */
import type { ImageSpec } from './size.ts';
interface Size {
  width: number;
  height: number;
}
interface Point {
  x: number;
  y: number;
}
/** How a picture fills an input: `stretch`, its shape not kept, or `letterbox`, at the top left and as large as it fits. */
export type Fit = 'stretch' | 'letterbox';
export interface Placement {
  picture: Size;
  /** part of the input that the picture fills, from the top left, in pixels of the input */
  filled: Size;
}
/** Places a picture, with its size as shown, into an input; a letterbox rounds to whole pixels, one at least. */
export declare function placementOf(
  { width, height }: Size,
  spec: Pick<ImageSpec, 'width' | 'height' | 'fit'>,
): Placement;
/** A point of the picture in pixels of the input. */
export declare const toInput: ({ picture, filled }: Placement, { x, y }: Point) => Point;
/** The inverse of `toInput`: a point of the input in pixels of the picture, brought to its edge where it lies outside. */
export declare const toPicture: ({ picture, filled }: Placement, { x, y }: Point) => Point;
export {};
