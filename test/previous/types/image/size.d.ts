import type { Fit } from './placement.ts';
/**
 * What a model takes in: pixels, and 1 (grey) or 3 (sRGB) channels. `range` says which values of a picture become 0 and 255:
 * the least and the greatest that its bits can hold (`given`, where it is left out), or those found in it. With
 * `shrinkOnLoad` a large JPEG is made smaller while it is decoded, which is faster and gives other numbers.
 */
export type ImageSpec = {
  width: number;
  height: number;
  channels: 1 | 3;
  range?: 'given' | 'found' | undefined;
  shrinkOnLoad?: boolean | undefined;
  /** how a picture of another shape fills it; left out: `stretch` */
  fit?: Fit | undefined;
};
/** Whether two models take in the same numbers of every picture. */
export declare const isSameSpec: (a: ImageSpec, b: ImageSpec) => boolean;
/** Bytes of the largest image that is taken: fits a 20-megapixel PNG of noise. */
export declare const maxImageBytes: number;
/**
 * Chooses the default input of a project from its pictures (sizes in pixels as shown, channels including alpha):
 * the median width and height, brought to 16..64 and to a multiple of 4; grey where every picture is grey.
 * Longer sides above 64 shrink both, so the shape of the median picture is kept as far as the bounds allow.
 */
export declare function chooseImageSpec(
  samples: readonly {
    width: number;
    height: number;
    channels: number;
  }[],
): ImageSpec;
