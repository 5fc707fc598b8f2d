/** docs/preprocessing.md is enough to write a client that agrees with Darkroom. */
import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { toTensor } from '../../../shared/image/tensor.ts';
import { decodePng } from './client-png.ts';
import { preprocess } from './client.ts';
import { readVectors } from './golden.ts';

const tolerance = 1e-6;

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}

describe('the golden vectors', async () => {
  const vectors = await readVectors();

  test.each(vectors)('$picture is preprocessed to what it was when models were trained', async (vector) => {
    expect(await toTensor(vector.bytes, vector.image)).toEqual(vector.expected);
  });

  test.each(vectors)('$picture is preprocessed by a client that follows the page to the same', (vector) => {
    const tensor = preprocess(decodePng(vector.decoded), vector.image, vector.orientation);
    expect(largestDifference(tensor, vector.expected)).toBeLessThanOrEqual(tolerance);
  });

  test('have every step in them', () => {
    const seen = (of: (vector: (typeof vectors)[number]) => unknown) => new Set(vectors.map(of)).size;
    expect(seen(({ orientation }) => orientation)).toBeGreaterThan(1);
    expect(seen(({ image }) => image.range)).toBe(2);
    expect(seen(({ image }) => image.shrinkOnLoad)).toBe(2);
    expect(seen(({ image }) => image.fit)).toBe(2);
    expect(seen(({ decoded }) => decodePng(decoded).channels)).toBe(3);
    expect(seen(({ decoded }) => decodePng(decoded).bits)).toBe(2);
  });

  test('are named on the page, which says where they are', async () => {
    expect(await readFile('docs/preprocessing.md', 'utf8')).toContain('test/fixtures/preprocessing/vectors.json');
  });
});

test('a client that follows the page agrees for any picture and any input', async () => {
  const side = fc.integer({ min: 1, max: 70 });
  const input = fc.integer({ min: 8, max: 48 });
  const given = fc.record({
    ...{ width: side, height: side, deep: fc.boolean(), channels: fc.constantFrom(1, 2, 3, 4) },
    ...{ orientation: fc.integer({ min: 1, max: 8 }), seed: fc.nat(1e6) },
    image: fc.record({
      ...{ width: input, height: input, channels: fc.constantFrom(1, 3) },
      range: fc.constantFrom('given', 'found'),
      fit: fc.constantFrom('stretch', 'letterbox'),
    }),
  });
  await fc.assert(
    fc.asyncProperty(given, async ({ width, height, deep, channels, orientation, seed, image }) => {
      const most = deep ? 65_535 : 255;
      const values = Array.from(
        { length: width * height * channels },
        (_, i) => ((i + seed) * 7919 * (seed % 31)) % (most + 1),
      );
      const samples = deep ? Uint16Array.from(values) : Uint8Array.from(values);
      const space = channels < 3 ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb';
      const bytes = await sharp(samples, { raw: { width, height, channels } })
        .toColourspace(space)
        .keepExif()
        .withMetadata({ orientation })
        .png()
        .toBuffer();
      const tensor = preprocess(decodePng(bytes), image, orientation);
      expect(largestDifference(tensor, await toTensor(bytes, image))).toBeLessThanOrEqual(tolerance);
    }),
    { numRuns: 60 },
  );
});
