import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { createImageReader } from '../../../shared/image/decode.ts';
import { checkMemory, decodeBytes, partsWithin, shrinkBytes } from '../../../shared/image/memory.ts';
import type { ImageStructure } from '../../../shared/image/structure.ts';
import { walkStored } from '../../../shared/image/walk.ts';
import { greyRows, picture, png, pngHeader, tiff, webp, webpCanvas, webpChunk } from './craft.ts';

const limits = { maxPixels: 50e6, maxMemoryBytes: 256 * 1024 * 1024 };
const plain = (width: number, height: number, more: Partial<ImageStructure> = {}): ImageStructure => ({
  ...{ ok: true, format: 'png', width, height, channels: 3, depth: 8, orientation: 1 },
  ...{ heldBytes: 0, trailingBytes: 0, metadataEdits: [], ...more },
});

describe('what a decoder holds of a picture as a whole', () => {
  const full = (image: Sharp) => image.jpeg({ progressive: true, chromaSubsampling: '4:4:4' });
  test.each([
    // two bytes for each coefficient: four blocks of brightness and two of colour, or four of each
    ['progressive JPEG', picture(16, 16).jpeg({ progressive: true }), 6 * 128],
    ['progressive JPEG with full colour', full(picture(16, 16)), 12 * 128],
    ['interlaced PNG', picture(16, 16).png({ progressive: true }), 3 * 256],
    ['interlaced 16-bit PNG', picture(16, 16).toColourspace('rgb16').png({ progressive: true }), 6 * 256],
    ['WebP', picture(16, 16).webp(), 8 * 256],
    ['JPEG', picture(16, 16).jpeg(), 0],
    ['PNG', picture(16, 16).png(), 0],
  ])('%s: is known before', async (_name, pipeline, held) => {
    expect(walkStored(await pipeline.toBuffer()).heldBytes).toBe(held);
  });
});

describe('the memory of decoding', () => {
  test('is what the decoder holds, rows on their way, and the pixels where they are kept or turned', () => {
    expect(decodeBytes(plain(100, 50, { heldBytes: 7 }))).toBe(7 + 300 * (50 + 640));
    expect(decodeBytes(plain(100, 50, { channels: 4, depth: 16 }))).toBe(800 * (50 + 640));
    expect(decodeBytes(plain(100, 50, { channels: 2 }))).toBe(400 * (50 + 640));
    expect(shrinkBytes(plain(100, 50, { heldBytes: 7 }))).toBe(7 + 300 * 1280);
    expect(shrinkBytes(plain(100, 50, { orientation: 6 }))).toBe(300 * (50 + 1280));
  });

  test('is less in parts, of which there are as few as will do', () => {
    const picture = plain(100, 5000, { heldBytes: 1e6 });
    expect(decodeBytes(picture, 2)).toBe(1e6 + 300 * (2500 + 640));
    expect(partsWithin(decodeBytes(picture), picture)).toBe(1);
    expect(partsWithin(decodeBytes(picture) - 1, picture)).toBe(2);
    expect(partsWithin(decodeBytes(picture, 3), picture)).toBe(3);
    expect(partsWithin(1, picture)).toBe(4);
  });

  test.each([
    ['a PNG or a baseline JPEG of 50 megapixels', plain(7000, 7142), 1],
    ['a progressive JPEG of 38 megapixels', plain(6200, 6200, { heldBytes: 3 * 6200 * 6200 }), 2],
    ['a WebP of 21 megapixels', plain(4600, 4600, { heldBytes: 8 * 4600 * 4600 }), 2],
    ['16 bits of colour and 40 megapixels', plain(6300, 6300, { depth: 16 }), 2],
  ])('of one process lets %s be decoded in so many parts', (_name, picture, parts) => {
    expect(partsWithin(208 * 1024 * 1024, picture)).toBe(parts);
  });

  test.each([
    ['65,536 x 1', plain(65_536, 1), 'on a side'],
    ['1 x 65,536', plain(1, 65_536), 'on a side'],
    ['48,000,000 x 1', plain(48e6, 1, { channels: 4, depth: 16 }), 'on a side'],
    ['65,535 x 1 of 16 bits', plain(65_535, 1, { channels: 4, depth: 16 }), 'MB are allowed'],
    ['7,100 x 7,100', plain(7100, 7100), '50000000 in all'],
    ['7,000 x 7,000 of 16 bits', plain(7000, 7000, { depth: 16 }), 'MB are allowed'],
    ['6,000 x 6,000 interlaced', plain(6000, 6000, { heldBytes: 180e6 }), 'is held as a whole'],
  ])('of %s is too much', (_name, picture, detail) => {
    expect(checkMemory(picture, 0, limits)).toMatchObject({
      reason: 'too-many-pixels',
      detail: expect.stringContaining(detail),
    });
  });

  test.each([
    ['7,000 x 7,100', plain(7000, 7100)],
    ['65,535 x 700', plain(65_535, 700)],
    ['700 x 65,535 of 16 bits', plain(300, 65_535, { channels: 4, depth: 16 })],
    ['6,000 x 6,000 interlaced', plain(6000, 6000, { heldBytes: 108e6 })],
  ])('of %s is not', (_name, picture) => {
    expect(checkMemory(picture, 0, limits)).toBeNull();
  });

  test('counts the file twice: as it came and as it is stored', () => {
    const left = limits.maxMemoryBytes - decodeBytes(plain(7000, 7100));
    expect(checkMemory(plain(7000, 7100), left / 2, limits)).toBeNull();
    expect(checkMemory(plain(7000, 7100), left / 2 + 1, limits)).toMatchObject({ ok: false });
  });

  test.each([
    ['a row of 48 million pixels', png(pngHeader(48e6, 1, [16, 6, 0, 0, 0]), greyRows(1, 1))],
    ['a column of 48 million pixels', png(pngHeader(1, 48e6, [16, 6, 0, 0, 0]), greyRows(1, 1))],
    ['interlaced pixels', png(pngHeader(6000, 6000, [16, 6, 0, 0, 1]), greyRows(1, 1))],
    ['16,000 x 3,000 pixels of WebP', webp(webpCanvas(0, 16_000, 3000), lossless(16_000, 3000))],
    [
      'one strip of 8,000 x 6,000 pixels',
      tiff({ width: 8000, height: 6000, samples: 3, compression: 8, part: { rows: 6000 }, data: Buffer.of(1) }),
    ],
    [
      'a tile of 65,520 x 65,520 pixels',
      tiff({ width: 9, height: 9, samples: 1, compression: 1, part: { tile: [65_520, 65_520] }, data: Buffer.of(1) }),
    ],
  ])('is refused for %s before anything is decoded, for storing and for scoring', async (_name, bytes) => {
    const reader = createImageReader();
    const startMs = performance.now();
    const refusal = { ok: false, reason: 'too-many-pixels' };
    expect(await reader.inspect(bytes)).toMatchObject(refusal);
    expect(await reader.preprocess(bytes, undefined, { width: 64, height: 64, channels: 3 })).toMatchObject(refusal);
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  test('lets no sample be stored that cannot be made an input of the smallest or the largest size', async () => {
    const reader = createImageReader();
    for (const [width, height] of [
      [65_535, 1],
      [1, 65_535],
      [1, 1],
    ] as const) {
      const bytes = await sharp({ create: { width, height, channels: 3, background: '#123' } })
        .png()
        .toBuffer();
      expect(await reader.inspect(bytes)).toMatchObject({ ok: true });
      for (const side of [8, 512])
        expect(await reader.toTensor(bytes, { width: side, height: side, channels: 1 })).toHaveLength(side * side);
    }
  });
});

/** A VP8L chunk of that size in its header; its pixels are missing. */
function lossless(width: number, height: number): Buffer {
  const data = Buffer.alloc(40, 1);
  data.writeUInt8(0x2f, 0);
  data.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 1);
  return webpChunk('VP8L', data);
}
