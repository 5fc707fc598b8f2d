/** Random variations of training images: shifted, scaled, turned, mirrored. */
import type { Random } from './random.ts';

export interface Augmentation {
  /** greatest shift, as a part of the image's width and height */
  shift: number;
  /** greatest change of size: 0.1 is 90 % to 110 % */
  scale: number;
  /** greatest turn, in degrees */
  rotation: number;
  /** whether half of the images are mirrored left to right: never for digits, letters, left and right eyes */
  flip: boolean;
}

interface ImageSize {
  channels: number;
  height: number;
  width: number;
}

/** One variation of an image: turned about its centre, grown by `scale`, mirrored, and moved, in pixels. */
export interface Variation {
  degrees: number;
  scale: number;
  mirrored: boolean;
  shiftX: number;
  shiftY: number;
}

const clamp = (value: number, most: number): number => (value < 0 ? 0 : value > most ? most : value);

/**
 * Writes a variation of `source` (CHW) at `offset` of `target`, sampled with bilinear weights; beyond the edges the edge
 * pixels go on.
 */
export function vary(
  target: Float32Array,
  offset: number,
  source: Float32Array | Uint8Array,
  { channels, height, width }: ImageSize,
  { degrees, scale, mirrored, shiftX, shiftY }: Variation,
): void {
  const angle = (degrees * Math.PI) / 180;
  const zoom = 1 / (1 + scale);
  const mirror = mirrored ? -1 : 1;
  const cosine = Math.cos(angle) * zoom;
  const sine = Math.sin(angle) * zoom;
  const centreX = (width - 1) / 2;
  const centreY = (height - 1) / 2;
  const plane = width * height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromCentreX = x - centreX - shiftX;
      const fromCentreY = y - centreY - shiftY;
      const sourceX = clamp(mirror * (cosine * fromCentreX - sine * fromCentreY) + centreX, width - 1);
      const sourceY = clamp(sine * fromCentreX + cosine * fromCentreY + centreY, height - 1);
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      const right = sourceX - left;
      const bottom = sourceY - top;
      const stepX = left + 1 < width ? 1 : 0;
      const stepY = top + 1 < height ? width : 0;
      for (let channel = 0; channel < channels; channel++) {
        const at = channel * plane + top * width + left;
        const upper = (source[at] ?? 0) * (1 - right) + (source[at + stepX] ?? 0) * right;
        const lower = (source[at + stepY] ?? 0) * (1 - right) + (source[at + stepY + stepX] ?? 0) * right;
        target[offset + channel * plane + y * width + x] = upper * (1 - bottom) + lower * bottom;
      }
    }
  }
}

/** Writes a random variation of `source` likewise. */
export function augment(
  target: Float32Array,
  offset: number,
  source: Float32Array | Uint8Array,
  size: ImageSize,
  options: Augmentation,
  random: Random,
): void {
  // the order of these draws is part of what a seed gives
  const variation = {
    degrees: random.around(options.rotation),
    scale: random.around(options.scale),
    mirrored: random.next() < 0.5 && options.flip,
    shiftX: random.around(options.shift) * size.width,
    shiftY: random.around(options.shift) * size.height,
  };
  vary(target, offset, source, size, variation);
}
