import { readFile } from 'node:fs/promises';
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

  test.each([
    // as shown it is four times as large as the input, less a pixel
    { width: 64, height: 47, orientation: 1, shrinks: false },
    { width: 64, height: 48, orientation: 1, shrinks: true },
    { width: 47, height: 64, orientation: 6, shrinks: false },
    { width: 48, height: 64, orientation: 6, shrinks: true },
  ])(
    'of a JPEG of $width x $height, orientation $orientation, is shrunk on load where that is wanted: $shrinks',
    async (given) => {
      const { width, height, orientation, shrinks } = given;
      const made = picture(width, height).withMetadata({ orientation });
      const wanted = { ...spec, shrinkOnLoad: true };
      const jpeg = await made.clone().jpeg().toBuffer();
      const [full, shrunk] = [await toTensor(jpeg, spec), await toTensor(jpeg, wanted)];
      expect(shrunk.some((value, i) => value !== full[i])).toBe(shrinks);
      expect(shrunk.reduce((sum, value, i) => sum + Math.abs(value - (full[i] ?? 0)), 0) / full.length).toBeLessThan(8);
      expect(await toTensor(jpeg, { ...spec, shrinkOnLoad: false })).toEqual(full);
      const png = await made.png().toBuffer();
      expect(await toTensor(png, wanted)).toEqual(await toTensor(png, spec));
    },
  );

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

describe('the range of values', () => {
  const raw = { width: 4, height: 2, channels: 1 } as const;
  const eight = { width: 8, height: 8, channels: 1 } as const;
  const dim = (depth: 8 | 16) => {
    const values = Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 40 : 40 + 10 * (i % 8)));
    const samples = depth === 8 ? Uint8Array.from(values) : Uint16Array.from(values, (value) => value * 16);
    return sharp(samples, { raw: eight })
      .toColourspace(depth === 8 ? 'b-w' : 'grey16')
      .png()
      .toBuffer();
  };

  test.each([8, 16] as const)('as found becomes 0 to 255, in %i bits', async (depth) => {
    const tensor = await toTensor(await dim(depth), { ...eight, range: 'found' });
    const values = Array.from({ length: 8 }, (_, x) => (x < 4 ? 0 : Math.fround((10 * x * 255) / 70)));
    expect([...tensor.slice(0, 8)]).toEqual(values);
  });

  test('as given is what it always was: 16 bits divided by 256', async () => {
    const given = await toTensor(await dim(16), { ...eight, range: 'given' });
    expect(given).toEqual(await toTensor(await dim(16), eight));
    expect([...given.slice(0, 8)]).toEqual([3, 3, 3, 3, 5, 6, 6, 7]);
  });

  test('of one value is 0', async () => {
    const flat = await sharp(new Uint8Array(8).fill(90), { raw }).png().toBuffer();
    expect(new Set(await toTensor(flat, { ...eight, range: 'found' }))).toEqual(new Set([0]));
  });

  test('of 12 bits in 16 is seen whole, in colour and in grey', async () => {
    const xray = await readFile('test/fixtures/pictures/xray-12-of-16.png');
    for (const channels of [1, 3] as const) {
      const seen = async (range: 'given' | 'found') =>
        Math.max(...(await toTensor(xray, { ...spec, channels, range })));
      expect(await seen('given')).toBeLessThan(16);
      expect(await seen('found')).toBe(255);
    }
  });

  test('of 16-bit colour stays apart by channel', async () => {
    const tensor = await toTensor(await picture(40, 30).toColourspace('rgb16').png().toBuffer(), {
      ...spec,
      range: 'found',
    });
    const planes = [0, 1, 2].map((channel) =>
      [...tensor.slice(channel * 192, channel * 192 + 192)].map(Math.round).join(),
    );
    expect(new Set(planes).size).toBe(3);
  });
});

test('batchTensors puts tensors one after the other in the order of the images', async () => {
  const images = await Promise.all([9, 30, 21, 14, 40].map((size) => picture(size, 20).png().toBuffer()));
  const batch = await batchTensors(images, spec, 2);
  const single = await Promise.all(images.map((image) => toTensor(image, spec)));
  expect(batch).toEqual(Float32Array.from(single.flatMap((tensor) => [...tensor])));
});
