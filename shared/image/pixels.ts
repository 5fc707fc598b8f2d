/**
 * What is computed over all pixels of a picture: a digest that is the same for the same pixels in any file, and a hash that
 * is nearly the same for pictures that look the same.
 */
import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type DifferenceHash, differenceHash } from './difference-hash.ts';
import { asShown, rowsAsShown } from './shown.ts';
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
 * Describes a picture of a stored size in pixels that is shown with `orientation`, from its parts as `partsAsShown` cuts
 * them, which are not kept. Overwrites their samples.
 *
 * The digest is over a canonical form, in which only what is seen counts, and no more of it than files of different formats
 * can have in common: `{width}x{height}x{channels}x{bits}` of the picture as shown and a line feed, in ASCII; then the
 * samples, row by row as shown, channels side by side, 16-bit ones with their low byte first. It has
 * - 8 bits, unless a sample of a 16-bit picture is no doubled byte (v * 257);
 * - no alpha: colours are laid on white, `round((c * a + m * (m - a)) / m)` with m = 255 or 65,535;
 * - one channel, unless the three of a pixel differ.
 * Colour profiles and gamma do not count: the same scan with its profile removed is the same scan.
 */
export async function describePixels(
  size: { width: number; height: number },
  orientation: Orientation,
  parts: AsyncIterable<Pixels> | Iterable<Pixels>,
): Promise<PixelDescription> {
  const whole = asShown(size, orientation);
  let forms: Form[] | undefined;
  let greatest = 0;
  for await (const part of parts) {
    forms ??= possibleForms(part, whole.width, whole.height);
    const { samples, channels } = part;
    const shown = asShown(part, orientation);
    const rows = Math.ceil(turnPixels / shown.width);
    for (let from = 0; from < shown.height; from += rows) {
      if (from > 0) await setImmediate();
      const some = {
        samples: rowsAsShown(samples, channels, shown, from, Math.min(shown.height, from + rows)),
        channels,
      };
      greatest = Math.max(greatest, greatestOf(some));
      forms = addToForms(forms, some);
    }
  }
  const [best] = forms ?? [];
  if (best === undefined) throw new Error('a picture has at least one part');
  const perceptualHash = best.look.digest(best.bits === 8 ? 255 : 65_535);
  return { pixelDigest: best.hash.digest('hex'), perceptualHash, greatest };
}

/** Some rows of a picture. */
type Rows = Pick<Pixels, 'samples' | 'channels'>;

/** A canonical form that the picture has if the rows to come allow it, like those before. */
type Form = { bits: 8 | 16; channels: 1 | 3; hash: Hash; look: DifferenceHash };

/** The forms that a picture may have, those that hold less first: of these one is its canonical form. */
function possibleForms({ samples, channels }: Pixels, width: number, height: number): Form[] {
  const depths = samples instanceof Uint8Array ? ([8] as const) : ([8, 16] as const);
  const colours = channels <= 2 ? ([1] as const) : ([1, 3] as const);
  return depths.flatMap((bits) =>
    colours.map((own): Form => {
      const hash = createHash('sha256').update(`${width}x${height}x${own}x${bits}\n`);
      return { bits, channels: own, hash, look: differenceHash(width, height) };
    }),
  );
}

/** Adds rows to each form that they can have, and drops the others. Overwrites the rows. */
function addToForms(forms: Form[], rows: Rows): Form[] {
  const byDepth = new Map<number, Rows | null>();
  const inDepth = (bits: 8 | 16): Rows | null => {
    const known = byDepth.get(bits);
    if (known !== undefined) return known;
    const deep = bits === 8 ? withoutDepth(rows) : rows;
    const made = deep && onWhite(deep);
    byDepth.set(bits, made);
    return made;
  };
  return forms.filter(({ bits, channels, hash, look }) => {
    const coloured = inDepth(bits);
    const canonical = coloured && (channels === 1 ? withoutColour(coloured) : coloured);
    if (canonical === null) return false;
    hash.update(canonical.samples);
    look.add(canonical.samples, channels);
    return true;
  });
}

function greatestOf({ samples, channels }: Rows): number {
  if (samples instanceof Uint8Array) return 255;
  const colours = channels >= 3 ? 3 : 1;
  let greatest = 0;
  for (let at = 0; at < samples.length; at += channels)
    for (let channel = 0; channel < colours; channel += 1)
      greatest = Math.max(greatest, samples[at + channel] as number);
  return greatest;
}

/** Eight bits where sixteen say no more, else null. */
function withoutDepth({ samples, channels }: Rows): Rows | null {
  if (samples instanceof Uint8Array) return { samples, channels };
  for (const value of samples) if (value >> 8 !== (value & 255)) return null;
  // which takes the low byte of each
  return { samples: new Uint8Array(samples), channels };
}

/** Transparency laid on white, and the alpha channel gone. Overwrites the rows. */
function onWhite({ samples, channels }: Rows): Rows {
  if (channels === 1 || channels === 3) return { samples, channels };
  const colours = channels === 2 ? 1 : 3;
  const most = samples instanceof Uint8Array ? 255 : 65_535;
  const pixels = samples.length / channels;
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const alpha = samples[pixel * channels + colours] as number;
    for (let channel = 0; channel < colours; channel += 1) {
      const colour = samples[pixel * channels + channel] as number;
      samples[pixel * colours + channel] =
        alpha === most ? colour : Math.round((colour * alpha + most * (most - alpha)) / most);
    }
  }
  return { channels: colours, samples: samples.subarray(0, pixels * colours) };
}

/** One channel where three are equal, else null. */
function withoutColour({ samples, channels }: Rows): Rows | null {
  if (channels === 1) return { samples, channels };
  for (let at = 0; at < samples.length; at += 3)
    if (samples[at] !== samples[at + 1] || samples[at] !== samples[at + 2]) return null;
  const grey = samples instanceof Uint8Array ? new Uint8Array(samples.length / 3) : new Uint16Array(samples.length / 3);
  for (let pixel = 0; pixel < grey.length; pixel += 1) grey[pixel] = samples[pixel * 3] as number;
  return { channels: 1, samples: grey };
}
