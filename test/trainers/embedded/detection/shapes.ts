/** Pictures of squares and discs on noise, as JPEG files with boxes: a detector's task that a test has time for. */
import sharp from 'sharp';
import { createRandom } from '../../../../trainers/embedded/random.ts';

export const shapeClasses = ['disc', 'square'];

export interface ShapePicture {
  bytes: Buffer;
  boxes: { class: string; x: number; y: number; width: number; height: number }[];
}

/** One to three shapes in a picture of that size; the same number is the same picture. */
export async function shapePicture(number: number, width = 128, height = 96): Promise<ShapePicture> {
  const random = createRandom(number);
  const pixels = Buffer.alloc(width * height * 3).map(() => 90 + random.below(60));
  const boxes = Array.from({ length: 1 + random.below(3) }, (_, i) => {
    const side = 20 + random.below(12);
    // beside each other
    const x = Math.floor((i * width) / 3) + random.below(Math.max(1, Math.floor(width / 3) - side));
    const y = random.below(height - side);
    const isDisc = random.next() < 0.5;
    const colour = isDisc ? [230, 60, 40] : [40, 90, 230];
    for (let dy = 0; dy < side; dy++) {
      for (let dx = 0; dx < side; dx++) {
        const [across, down] = [(2 * dx + 1) / side - 1, (2 * dy + 1) / side - 1];
        if (isDisc && across ** 2 + down ** 2 > 1) continue;
        colour.forEach((value, channel) => {
          pixels[((y + dy) * width + x + dx) * 3 + channel] = value;
        });
      }
    }
    return { class: isDisc ? 'disc' : 'square', x, y, width: side, height: side };
  });
  const bytes = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toBuffer();
  return { bytes, boxes };
}
