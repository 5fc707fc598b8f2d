/** How a picture that is stored on its side, or mirrored, is shown (CIPA DC-008, tag 0x0112). */
import type { Orientation } from './structure.ts';

type Size = { width: number; height: number };
type Samples = Uint8Array | Uint16Array;

/** Where a pixel of the shown picture is stored: at `origin + x * right + y * down`, counted in pixels. */
export type Shown = Size & { origin: number; right: number; down: number };

/** A part of a picture as it is stored, in pixels. */
export type Region = Size & { left: number; top: number };

/** Which corner of the stored picture is shown at the top left. */
const isMirrored = (orientation: Orientation): boolean => [2, 3, 7, 8].includes(orientation);
const isFlipped = (orientation: Orientation): boolean => [3, 4, 6, 7].includes(orientation);
const liesOnItsSide = (orientation: Orientation): boolean => orientation >= 5;

/** A picture of a stored size in pixels, as it is shown with `orientation`. */
export function asShown({ width, height }: Size, orientation: Orientation): Shown {
  const origin = (isMirrored(orientation) ? width - 1 : 0) + (isFlipped(orientation) ? (height - 1) * width : 0);
  const alongRow = isMirrored(orientation) ? -1 : 1;
  const alongColumn = isFlipped(orientation) ? -width : width;
  return liesOnItsSide(orientation)
    ? { width: height, height: width, origin, right: alongColumn, down: alongRow }
    : { width, height, origin, right: alongRow, down: alongColumn };
}

/** Rows `from` to `to` of the shown picture: those very samples where it is stored as it is shown, else copies. */
export function rowsAsShown(samples: Samples, channels: number, shown: Shown, from: number, to: number): Samples {
  const { width, origin, right, down } = shown;
  if (right === 1 && down === width) return samples.subarray(from * width * channels, to * width * channels);
  const size = (to - from) * width * channels;
  const part = samples instanceof Uint8Array ? new Uint8Array(size) : new Uint16Array(size);
  const copy = (x: number, y: number): void => {
    const stored = (origin + x * right + (from + y) * down) * channels;
    const at = (y * width + x) * channels;
    for (let channel = 0; channel < channels; channel += 1) part[at + channel] = samples[stored + channel] as number;
  };
  // along the rows as they are stored: down their columns, every pixel would be a miss of the cache
  if (Math.abs(right) === 1) for (let y = 0; y < to - from; y += 1) for (let x = 0; x < width; x += 1) copy(x, y);
  else for (let x = 0; x < width; x += 1) for (let y = 0; y < to - from; y += 1) copy(x, y);
  return part;
}

/** Cuts a stored picture into `count` parts, or as many as it has rows: whole rows of the shown picture, from its top on. */
export function partsAsShown({ width, height }: Size, orientation: Orientation, count: number): Region[] {
  const onItsSide = liesOnItsSide(orientation);
  const long = onItsSide ? width : height;
  const parts = Math.min(count, long);
  const cut = (index: number): number => Math.floor((index * long) / parts);
  const regions = Array.from({ length: parts }, (_, index): Region => {
    const [from, extent] = [cut(index), cut(index + 1) - cut(index)];
    return onItsSide ? { left: from, top: 0, width: extent, height } : { left: 0, top: from, width, height: extent };
  });
  const fromTheEnd = onItsSide ? isMirrored(orientation) : isFlipped(orientation);
  return fromTheEnd ? regions.reverse() : regions;
}
