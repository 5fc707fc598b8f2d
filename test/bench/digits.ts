/** Scanned digits as PNG files. */
import { createRequire } from 'node:module';
import sharp from 'sharp';

interface Digit {
  /** the ink of 784 pixels, 0 to 1; another scan at random where there is none of that index */
  get(index: number): number[];
  length: number;
}
const mnist = createRequire(import.meta.url)('mnist') as Record<number, Digit>;

/**
 * The 784 grey pixels of scan `index` of a digit: the same every time, and no other scan has them. The package has 863 to
 * 1,127 of each digit; after the last they come again, and the first pixel, else background, says how often they came before.
 */
export function digitPixels(label: number, index: number): Buffer {
  const digit = mnist[label];
  if (digit === undefined) throw new Error(`there is no digit ${label}`);
  const turn = Math.floor(index / digit.length);
  if (turn > 255) throw new Error(`one pixel cannot say that a scan came ${turn} times before`);
  const grey = Buffer.from(digit.get(index % digit.length).map((v) => Math.round(v * 255)));
  grey[0] = ((grey[0] ?? 0) + turn) % 256;
  return grey;
}

/** The scan as a PNG file, the same bytes every time. */
export function digitPng(label: number, index: number): Promise<Buffer> {
  return sharp(digitPixels(label, index), { raw: { width: 28, height: 28, channels: 1 } })
    .png()
    .toBuffer();
}

export interface Scan {
  name: string;
  label: string;
  bytes: Buffer;
}

/** Scans `from` to `to` (exclusive), all different, the ten classes in turn. */
export async function scans(from: number, to: number): Promise<Scan[]> {
  const made: Scan[] = [];
  for (let i = from; i < to; i++) {
    const label = i % 10;
    made.push({ name: `s${i}.png`, label: String(label), bytes: await digitPng(label, Math.floor(i / 10)) });
  }
  return made;
}
