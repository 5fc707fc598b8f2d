/** Scanned digits as PNG files. */
import { createRequire } from 'node:module';
import sharp from 'sharp';

const mnist = createRequire(import.meta.url)('mnist') as Record<
  number,
  { get(index: number): number[]; length: number }
>;

/** One scan; the package has about 1,000 of each digit. */
export function digitPng(label: number, index: number): Promise<Buffer> {
  const grey = Buffer.from((mnist[label]?.get(index) ?? []).map((v) => Math.round(v * 255)));
  return sharp(grey, { raw: { width: 28, height: 28, channels: 1 } })
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
