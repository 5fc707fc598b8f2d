/** Scanned digits to upload: some of them twice, some under two labels, and some files that are no images. */
import { createRequire } from 'node:module';
import sharp from 'sharp';
import type { Random } from '../random.ts';
import type { File } from '../torture/load.ts';

const mnist = createRequire(import.meta.url)('mnist') as Record<number, { get(index: number): number[] }>;

/** About `count` files, ten classes in turn. */
export async function digits(random: Random, count: number): Promise<File[]> {
  const start = random.between(0, 600);
  const files: File[] = [];
  for (let i = 0; i < count; i++) {
    const [label, other] = [String(i % 10), String((i + 1) % 10)];
    const grey = Buffer.from((mnist[i % 10]?.get(start + Math.floor(i / 10)) ?? []).map((v) => Math.round(v * 255)));
    const bytes = await sharp(grey, { raw: { width: 28, height: 28, channels: 1 } })
      .png()
      .toBuffer();
    files.push({ name: `d${i}.png`, label, bytes, odd: false });
    const dice = random.next();
    if (dice < 0.05) files.push({ name: `again${i}.png`, label, bytes, odd: false });
    else if (dice < 0.1) files.push({ name: `other${i}.png`, label: other, bytes, odd: false });
    else if (dice < 0.15) files.push({ name: `odd${i}.png`, label, bytes: bytes.subarray(0, 90), odd: true });
  }
  return files;
}
