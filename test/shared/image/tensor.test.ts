import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { batchTensors, toTensor } from '../../../shared/image/tensor.ts';
import { picture } from './craft.ts';

const spec = { width: 16, height: 12, channels: 3 } as const;

/** The operations that undo each EXIF orientation, so that showing the result gives the picture back. */
const stored: Record<number, (image: Sharp) => Promise<Buffer> | Sharp> = {
  1: (image) => image,
  2: (image) => image.flop(),
  3: (image) => image.rotate(180),
  4: (image) => image.flip(),
  5: async (image) =>
    sharp(await image.rotate(90).png().toBuffer())
      .flop()
      .png()
      .toBuffer(),
  6: (image) => image.rotate(270),
  7: async (image) =>
    sharp(await image.rotate(270).png().toBuffer())
      .flop()
      .png()
      .toBuffer(),
  8: (image) => image.rotate(90),
};

describe('toTensor', () => {
  test.each(['png', 'webp'] as const)('eight orientations of one %s give one tensor', async (format) => {
    const upright = await toTensor(await picture(40, 30).withMetadata().png().toBuffer(), spec);
    for (const [orientation, turn] of Object.entries(stored)) {
      const turned = await turn(picture(40, 30));
      const image = Buffer.isBuffer(turned) ? sharp(turned) : sharp(await turned.png().toBuffer());
      const bytes = await image
        .withMetadata({ orientation: Number(orientation) })
        .toFormat(format, { lossless: true })
        .toBuffer();
      expect(await toTensor(bytes, spec), `orientation ${orientation}`).toEqual(upright);
    }
  });

  test('a JPEG much larger than the tensor is decoded in full, like the same pixels in a PNG', async () => {
    const jpeg = await picture(800, 600).jpeg().toBuffer();
    const png = await sharp(jpeg).png().toBuffer();
    expect(await toTensor(jpeg, spec)).toEqual(await toTensor(png, spec));
  });

  test('is channel by channel, row by row, 0 to 255', async () => {
    const pixels = Buffer.from(
      Array.from({ length: 16 * 12 * 3 }, (_, index) => [255, 10, index % 200][index % 3] ?? 0),
    );
    const bytes = await sharp(pixels, { raw: spec }).png().toBuffer();
    const tensor = await toTensor(bytes, spec);
    expect(tensor.length).toBe(3 * 12 * 16);
    expect(tensor[0]).toBe(255);
    expect(tensor[12 * 16]).toBe(10);
    expect(tensor[2 * 12 * 16 + 17]).toBe(pixels[17 * 3 + 2]);
  });

  test('lays transparency on white', async () => {
    const clear = { create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } } as const;
    const bytes = await sharp(clear).png().toBuffer();
    expect(new Set(await toTensor(bytes, spec))).toEqual(new Set([255]));
    expect(new Set(await toTensor(bytes, { ...spec, channels: 1 }))).toEqual(new Set([255]));
  });

  test.each([
    ['grey', picture(40, 30).toColourspace('b-w').png()],
    ['grey with alpha', picture(40, 30).ensureAlpha(0.5).toColourspace('b-w').png()],
    ['16-bit', picture(40, 30).toColourspace('rgb16').png()],
    ['16-bit grey', picture(40, 30).toColourspace('grey16').png()],
    ['CMYK', picture(40, 30).toColourspace('cmyk').jpeg()],
    ['palette', picture(40, 30).png({ palette: true })],
  ])('takes %s pictures for both channel counts', async (_name, pipeline) => {
    const bytes = await pipeline.toBuffer();
    for (const channels of [1, 3] as const) {
      const tensor = await toTensor(bytes, { ...spec, channels });
      expect(tensor.length).toBe(16 * 12 * channels);
      expect(Math.max(...tensor)).toBeGreaterThan(100);
      expect(Math.max(...tensor)).toBeLessThanOrEqual(255);
    }
  });

  test('of a grey picture has three equal channels', async () => {
    const tensor = await toTensor(await picture(40, 30).toColourspace('b-w').png().toBuffer(), spec);
    expect(tensor.slice(192, 384)).toEqual(tensor.slice(0, 192));
    expect(tensor.slice(384)).toEqual(tensor.slice(0, 192));
  });

  test('fails on bytes that are no image and on blocked formats', async () => {
    await expect(toTensor(Buffer.from('text'), spec)).rejects.toThrow();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(toTensor(svg, spec)).rejects.toThrow();
    await expect(toTensor(await picture(8, 8).tiff().toBuffer(), spec)).rejects.toThrow();
  });
});

test('batchTensors puts tensors one after the other in the order of the images', async () => {
  const images = await Promise.all([9, 30, 21, 14, 40].map((size) => picture(size, 20).png().toBuffer()));
  const batch = await batchTensors(images, spec, 2);
  const single = await Promise.all(images.map((image) => toTensor(image, spec)));
  expect(batch).toEqual(Float32Array.from(single.flatMap((tensor) => [...tensor])));
});
