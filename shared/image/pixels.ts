/**
 * What is computed over all pixels of a picture: a digest that is the same for the same pixels in any file, and a hash that
 * is nearly the same for pictures that look the same.
 */
import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Orientation } from './structure.ts';

/** Decoded pixels in the order of the file: row by row, the channels of a pixel side by side (grey or RGB, then alpha). */
export type Pixels = {
  samples: Uint8Array | Uint16Array;
  /** pixels, as stored */
  width: number;
  /** pixels, as stored */
  height: number;
  channels: 1 | 2 | 3 | 4;
};

export type PixelDescription = {
  /** sha-256 of the canonical form, lower-case hex */
  pixelDigest: string;
  /** difference hash, 16 lower-case hex digits */
  perceptualHash: string;
  /** the greatest value of any channel but alpha */
  greatest: number;
};

/** Pixels that are worked through before others get their turn: some milliseconds. */
const turnPixels = 1024 * 1024;

/**
 * Describes a picture that is shown with `orientation`. Overwrites `samples`.
 *
 * The digest is over a canonical form, in which only what is seen counts, and no more of it than files of different formats
 * can have in common: `{width}x{height}x{channels}x{bits}` of the picture as shown and a line feed, in ASCII; then the
 * samples, row by row as shown, channels side by side, 16-bit ones with their low byte first. It has
 * - 8 bits, unless a sample of a 16-bit picture is no doubled byte (v * 257);
 * - no alpha: colours are laid on white, `round((c * a + m * (m - a)) / m)` with m = 255 or 65,535;
 * - one channel, unless the three of a pixel differ.
 * Colour profiles and gamma do not count: the same scan with its profile removed is the same scan.
 */
export async function describePixels(pixels: Pixels, orientation: Orientation): Promise<PixelDescription> {
  const greatest = await greatestOf(pixels);
  const canonical = await withoutColour(await onWhite(await withoutDepth(pixels)));
  const shown = asShown(canonical, orientation);
  const { samples, channels } = canonical;
  const hash = createHash('sha256').update(
    `${shown.width}x${shown.height}x${channels}x${samples.BYTES_PER_ELEMENT * 8}\n`,
  );
  await hashAsShown(hash, canonical, shown);
  return { pixelDigest: hash.digest('hex'), perceptualHash: differenceHash(canonical, shown), greatest };
}

/** Calls `work` for all pixels, some at a time, until it answers false. */
async function inTurns(pixels: number, work: (from: number, to: number) => boolean): Promise<boolean> {
  for (let from = 0; from < pixels; from += turnPixels) {
    if (from > 0) await setImmediate();
    if (!work(from, Math.min(pixels, from + turnPixels))) return false;
  }
  return true;
}

async function greatestOf({ samples, width, height, channels }: Pixels): Promise<number> {
  if (samples instanceof Uint8Array) return 255;
  const colours = channels >= 3 ? 3 : 1;
  let greatest = 0;
  await inTurns(width * height, (from, to) => {
    for (let at = from * channels; at < to * channels; at += channels)
      for (let channel = 0; channel < colours; channel += 1)
        greatest = Math.max(greatest, samples[at + channel] as number);
    return true;
  });
  return greatest;
}

/** Eight bits where sixteen say no more. */
async function withoutDepth(pixels: Pixels): Promise<Pixels> {
  const { samples, width, height, channels } = pixels;
  if (samples instanceof Uint8Array) return pixels;
  const doubled = await inTurns(width * height, (from, to) => {
    for (let at = from * channels; at < to * channels; at += 1) {
      const value = samples[at] as number;
      if (value >> 8 !== (value & 255)) return false;
    }
    return true;
  });
  if (!doubled) return pixels;
  const narrow = new Uint8Array(samples.buffer, samples.byteOffset, samples.length);
  await inTurns(width * height, (from, to) => {
    for (let at = from * channels; at < to * channels; at += 1) narrow[at] = (samples[at] as number) & 255;
    return true;
  });
  return { ...pixels, samples: narrow };
}

/** Transparency laid on white, and the alpha channel gone. */
async function onWhite(pixels: Pixels): Promise<Pixels> {
  const { samples, width, height, channels } = pixels;
  if (channels === 1 || channels === 3) return pixels;
  const colours = channels - 1;
  const most = samples instanceof Uint8Array ? 255 : 65_535;
  await inTurns(width * height, (from, to) => {
    for (let pixel = from; pixel < to; pixel += 1) {
      const alpha = samples[pixel * channels + colours] as number;
      for (let channel = 0; channel < colours; channel += 1) {
        const colour = samples[pixel * channels + channel] as number;
        samples[pixel * colours + channel] =
          alpha === most ? colour : Math.round((colour * alpha + most * (most - alpha)) / most);
      }
    }
    return true;
  });
  return { ...pixels, channels: colours as 1 | 3, samples: samples.subarray(0, width * height * colours) };
}

/** One channel where three are equal. */
async function withoutColour(pixels: Pixels): Promise<Pixels> {
  const { samples, width, height, channels } = pixels;
  if (channels === 1) return pixels;
  const grey = await inTurns(width * height, (from, to) => {
    for (let at = from * 3; at < to * 3; at += 3)
      if (samples[at] !== samples[at + 1] || samples[at] !== samples[at + 2]) return false;
    return true;
  });
  if (!grey) return pixels;
  await inTurns(width * height, (from, to) => {
    for (let pixel = from; pixel < to; pixel += 1) samples[pixel] = samples[pixel * 3] as number;
    return true;
  });
  return { ...pixels, channels: 1, samples: samples.subarray(0, width * height) };
}

/** Where a pixel of the shown picture is stored: at `origin + x * right + y * down`, counted in pixels. */
type Shown = { width: number; height: number; origin: number; right: number; down: number };

/** CIPA DC-008, tag 0x0112: which corner of the stored picture is shown at the top left, and in which direction it goes on. */
function asShown({ width, height }: Pixels, orientation: Orientation): Shown {
  const mirrored = orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8;
  const flipped = orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7;
  const origin = (mirrored ? width - 1 : 0) + (flipped ? (height - 1) * width : 0);
  const alongRow = mirrored ? -1 : 1;
  const alongColumn = flipped ? -width : width;
  return orientation >= 5
    ? { width: height, height: width, origin, right: alongColumn, down: alongRow }
    : { width, height, origin, right: alongRow, down: alongColumn };
}

async function hashAsShown(hash: Hash, { samples, channels }: Pixels, shown: Shown): Promise<void> {
  const { width, height, right, down } = shown;
  if (right === 1 && down === width) {
    await inTurns(width * height, (from, to) => {
      hash.update(samples.subarray(from * channels, to * channels));
      return true;
    });
    return;
  }
  const rows = Math.ceil(turnPixels / width);
  for (let from = 0; from < height; from += rows) {
    if (from > 0) await setImmediate();
    hash.update(rowsAsShown(samples, channels, shown, from, Math.min(height, from + rows)));
  }
}

/** Rows `from` to `to` of the shown picture. */
function rowsAsShown(samples: Pixels['samples'], channels: number, shown: Shown, from: number, to: number) {
  const { width, origin, right, down } = shown;
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

/** Columns and rows of means; neighbours in a row make 64 bits. */
const hashColumns = 9;
const hashRows = 8;
/** A mean is over at most this many pixels in each direction, spread evenly: enough to see no noise, and soon done. */
const probes = 16;

/**
 * The difference hash: the picture as 9 x 8 mean brightnesses (ITU-R BT.601 luma, rounded to 0..255); a bit for each, from
 * the top left, that says whether it is brighter than its right neighbour.
 */
function differenceHash({ samples, channels }: Pixels, shown: Shown): string {
  let bits = 0n;
  for (let row = 0; row < hashRows; row += 1) {
    let left = 0;
    for (let column = 0; column < hashColumns; column += 1) {
      const mean = meanOfCell(samples, channels, shown, column, row);
      if (column > 0) bits = (bits << 1n) | (left > mean ? 1n : 0n);
      left = mean;
    }
  }
  return bits.toString(16).padStart(16, '0');
}

function meanOfCell(samples: Pixels['samples'], channels: number, shown: Shown, column: number, row: number): number {
  const { width, height, origin, right, down } = shown;
  const across = Math.max(1, Math.min(probes, Math.floor(width / hashColumns)));
  const along = Math.max(1, Math.min(probes, Math.floor(height / hashRows)));
  let sum = 0;
  for (let j = 0; j < along; j += 1) {
    const y = Math.floor(((row + (j + 0.5) / along) * height) / hashRows);
    for (let i = 0; i < across; i += 1) {
      const x = Math.floor(((column + (i + 0.5) / across) * width) / hashColumns);
      const at = (origin + x * right + y * down) * channels;
      const red = samples[at] as number;
      sum +=
        channels === 1 ? red : 0.299 * red + 0.587 * (samples[at + 1] as number) + 0.114 * (samples[at + 2] as number);
    }
  }
  return Math.round(sum / (across * along) / (samples instanceof Uint8Array ? 1 : 257));
}
