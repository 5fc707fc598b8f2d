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
export function placementOf({ width, height }: Size, spec: Pick<ImageSpec, 'width' | 'height' | 'fit'>): Placement {
  const picture = { width, height };
  if (spec.fit !== 'letterbox') return { picture, filled: { width: spec.width, height: spec.height } };
  const scale = Math.min(spec.width / width, spec.height / height);
  const whole = (pixels: number, most: number): number => Math.min(most, Math.max(1, Math.round(pixels * scale)));
  return { picture, filled: { width: whole(width, spec.width), height: whole(height, spec.height) } };
}

/** A point of the picture in pixels of the input. */
export const toInput = ({ picture, filled }: Placement, { x, y }: Point): Point => ({
  x: (x * filled.width) / picture.width,
  y: (y * filled.height) / picture.height,
});

/** The inverse of `toInput`: a point of the input in pixels of the picture, brought to its edge where it lies outside. */
export const toPicture = ({ picture, filled }: Placement, { x, y }: Point): Point => ({
  x: Math.min(picture.width, Math.max(0, (x * picture.width) / filled.width)),
  y: Math.min(picture.height, Math.max(0, (y * picture.height) / filled.height)),
});
