import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { type AcceptedImage, createImageReader } from '../../../shared/image/decode.ts';
import { describePixels } from '../../../shared/image/pixels.ts';
import type { Orientation } from '../../../shared/image/structure.ts';
import { picture, png, pngChunk, pngHeader } from './craft.ts';

const reader = createImageReader();

async function read(pipeline: Sharp | Buffer): Promise<AcceptedImage> {
  const verdict = await reader.inspect(Buffer.isBuffer(pipeline) ? pipeline : await pipeline.toBuffer());
  if (!verdict.ok) throw new Error(verdict.detail);
  return verdict;
}
const digest = async (pipeline: Sharp | Buffer): Promise<string> => (await read(pipeline)).pixelDigest;
const sha256 = (...parts: (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** A 16-bit PNG of these values, row by row; colour type 0 grey, 2 RGB, 4 grey and alpha. */
function deep(width: number, height: number, colourType: 0 | 2 | 4, values: number[]): Buffer {
  const perRow = values.length / height;
  const rows = Buffer.alloc(height * (1 + 2 * perRow));
  values.forEach((value, i) => rows.writeUInt16BE(value, 1 + 2 * i + Math.floor(i / perRow)));
  return png(pngHeader(width, height, [16, colourType, 0, 0, 0]), pngChunk('IDAT', deflateSync(rows)));
}

describe('the digest of pixels', () => {
  test('is over size, channels, bits and the samples row by row', async () => {
    const raw = { raw: { width: 2, height: 1, channels: 3 } } as const;
    expect(await digest(sharp(Buffer.of(1, 2, 3, 4, 5, 6), raw).png())).toBe(
      sha256('2x1x3x8\n', Buffer.of(1, 2, 3, 4, 5, 6)),
    );
    expect(await digest(deep(2, 1, 0, [1, 0x0203]))).toBe(sha256('2x1x1x16\n', Buffer.of(1, 0, 3, 2)));
  });

  test('is the same for the same pixels, however a file has them', async () => {
    const same = picture(40, 30);
    const expected = await digest(same.clone().png());
    expect(await digest(same.clone().png({ compressionLevel: 0 }))).toBe(expected);
    expect(await digest(same.clone().png({ progressive: true }))).toBe(expected);
    expect(await digest(same.clone().webp({ lossless: true }))).toBe(expected);
    expect(await digest(same.clone().ensureAlpha(1).png())).toBe(expected);
    expect(await digest(same.clone().withIccProfile('srgb').withXmp('<x/>').png())).toBe(expected);
    const decoded = await same.clone().jpeg().toBuffer();
    expect(await digest(decoded)).toBe(await digest(sharp(decoded).png()));
    expect(await digest(decoded)).not.toBe(expected);
  });

  test('of a grey picture is the same in one channel, in three and in a palette', async () => {
    const grey = await picture(40, 30).greyscale().png().toBuffer();
    const expected = await digest(grey);
    expect(await digest(sharp(grey).toColourspace('srgb').webp({ lossless: true }))).toBe(expected);
    expect(await digest(sharp(grey).toColourspace('b-w').ensureAlpha(1).png())).toBe(expected);
    expect(await digest(sharp(grey).png({ palette: true, colours: 256, dither: 0 }))).toBe(expected);
  });

  test('of 16 bits that say no more than 8 is that of the 8', async () => {
    const values = [0, 1, 127, 128, 254, 255];
    const raw = { raw: { width: 3, height: 2, channels: 1 } } as const;
    const shallow = sharp(Buffer.from(values), raw).toColourspace('b-w').png();
    expect(
      await digest(
        deep(
          3,
          2,
          0,
          values.map((value) => value * 257),
        ),
      ),
    ).toBe(await digest(shallow));
    expect(await digest(deep(3, 2, 0, [...values.slice(1).map((value) => value * 257), 1]))).not.toBe(
      await digest(shallow),
    );
  });

  test('does not see colours that are wholly transparent, and sees transparency as white', async () => {
    const hidden = (value: number) =>
      sharp(Buffer.of(value, value, 9, 0, 10, 20, 30, 255, 40, 50, 60, 127), {
        raw: { width: 3, height: 1, channels: 4 },
      }).png();
    expect(await digest(hidden(1))).toBe(await digest(hidden(200)));
    expect(await digest(hidden(1))).toBe(sha256('3x1x3x8\n', Buffer.of(255, 255, 255, 10, 20, 30, 148, 153, 158)));
    const lossless = await hidden(77).webp({ lossless: true }).toBuffer();
    expect(await digest(lossless)).toBe(await digest(hidden(1)));
  });

  const turns: [width: number, height: number, orientation: Orientation][] = [
    ...([1, 2, 3, 4, 5, 6, 7, 8] as const).map((orientation) => [5, 3, orientation] as [number, number, Orientation]),
    // more than is worked through in one turn of the loop
    [1100, 1000, 6],
  ];
  test.each(turns)('of %i x %i pixels in orientation %i is that of the picture as it is shown', async (...turn) => {
    const [width, height, orientation] = turn;
    const samples = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 251);
    const raw = { width, height, channels: 3 } as const;
    const bytes = await sharp(samples, { raw }).withMetadata({ orientation }).png({ compressionLevel: 1 }).toBuffer();
    const shown = await read(sharp(bytes).autoOrient().png({ compressionLevel: 1 }));
    const { pixelDigest, perceptualHash } = shown;
    expect(await read(bytes)).toMatchObject({ pixelDigest, perceptualHash, width: shown.width, height: shown.height });
  });

  test('tells any two pictures apart that differ in what is seen', async () => {
    const samples = fc.uint8Array({ minLength: 36, maxLength: 36 });
    await fc.assert(
      fc.asyncProperty(samples, fc.nat(35), fc.integer({ min: 1, max: 255 }), async (values, at, by) => {
        const changed = values.slice();
        changed[at] = ((changed[at] ?? 0) + by) % 256;
        const describeOne = (own: Uint8Array) =>
          describePixels({ width: 4, height: 3 }, 1, [{ samples: own.slice(), width: 4, height: 3, channels: 3 }]);
        expect((await describeOne(changed)).pixelDigest).not.toBe((await describeOne(values)).pixelDigest);
      }),
    );
  });
});

describe('a picture that is decoded in parts', () => {
  // as many parts as there may be
  const frugal = createImageReader({ sharedMemoryBytes: 1 });
  const orientation = fc.constantFrom<Orientation[]>(1, 2, 3, 4, 5, 6, 7, 8);
  const size = fc.integer({ min: 1, max: 40 });
  const formats: ((image: Sharp) => Sharp)[] = [
    (image) => image.png(),
    (image) => image.png({ progressive: true }),
    (image) => image.jpeg(),
    (image) => image.jpeg({ progressive: true }),
    (image) => image.webp({ lossless: true }),
    (image) => image.tiff({ compression: 'lzw' }),
  ];

  test('is described as one that is decoded as a whole', async () => {
    const channels = fc.constantFrom(1, 2, 3, 4);
    const values = fc.constantFrom('any', 'grey', 'grey but for the last');
    await fc.assert(
      fc.asyncProperty(
        ...[size, size, channels, orientation, values, fc.constantFrom(...formats), fc.nat()],
        async (width, height, own, turned, kind, encode, seed) => {
          const samples = Uint8Array.from({ length: width * height * own }, (_, i) => {
            const pixel = kind === 'any' ? i : Math.floor(i / own);
            return Math.imul(pixel + 1, 0x9e3779b1 ^ seed) >>> 24;
          });
          if (kind === 'grey but for the last') samples[(width * height - 1) * own] = 7;
          const raw = { raw: { width, height, channels: own as 1 | 2 | 3 | 4 } };
          const bytes = await encode(sharp(samples, raw).withMetadata({ orientation: turned })).toBuffer();
          expect(await frugal.inspect(bytes)).toEqual(await reader.inspect(bytes));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('of 16 bits is too', async () => {
    const doubled = Array.from({ length: 60 }, (_, i) => ((i * 89) % 256) * 257);
    for (const values of [doubled, [...doubled.slice(1), 258], [1, ...doubled.slice(1)]])
      for (const [width, height, colourType] of [
        [6, 10, 0],
        [5, 4, 2],
        [3, 10, 4],
      ] as const) {
        const bytes = deep(width, height, colourType, values);
        expect(await frugal.inspect(bytes)).toEqual(await reader.inspect(bytes));
      }
  });

  test('is refused for damage in any part, as one that is decoded as a whole', async () => {
    for (const encode of formats.slice(0, 4)) {
      const bytes = await encode(picture(200, 160)).toBuffer();
      for (const share of [0.3, 0.6, 0.95]) {
        const at = Math.floor(bytes.length * share);
        const damaged = Buffer.from(bytes).fill(0xa5, at, at + 20);
        expect(await frugal.inspect(damaged)).toEqual(await reader.inspect(damaged));
      }
    }
  });
});

describe('the perceptual hash', () => {
  const differing = (a: string, b: string): number =>
    (BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(2).replaceAll('0', '').length;

  test('has a bit for each mean that is brighter than its right neighbour', async () => {
    const columns = Uint8Array.from({ length: 72 }, (_, i) => [90, 80, 85, 70, 75, 60, 65, 50, 55][i % 9] ?? 0);
    const size = { width: 9, height: 8 };
    const { perceptualHash } = await describePixels(size, 1, [{ samples: columns, ...size, channels: 1 }]);
    expect(perceptualHash).toBe('aa'.repeat(8));
  });

  test.each([1, 2, 8, 100])('of a picture %i pixels wide is 16 hex digits', async (size) => {
    expect((await read(picture(size, size + 3).png())).perceptualHash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('stays nearly the same where a picture is compressed or made smaller, and differs between pictures', async () => {
    const photo = await sharp({
      create: {
        width: 320,
        height: 240,
        channels: 3,
        background: '#000',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .blur(16)
      .normalise()
      .png()
      .toBuffer();
    const original = (await read(photo)).perceptualHash;
    for (const changed of [
      sharp(photo).jpeg({ quality: 40 }),
      sharp(photo).resize(200).webp(),
      sharp(photo).greyscale().png(),
    ])
      expect(differing((await read(changed)).perceptualHash, original)).toBeLessThanOrEqual(6);
    const mirrored = (await read(sharp(photo).flop().png())).perceptualHash;
    expect(differing(mirrored, original)).toBeGreaterThan(12);
  });
});

describe('16 bits of which the upper ones are unused', () => {
  test('are accepted with a warning that says how many are used', async () => {
    const narrow = await read(deep(2, 2, 0, [0, 17, 4095, 3]));
    expect(narrow.warnings).toEqual([{ code: 'narrow-range', detail: expect.stringContaining('12 of them are used') }]);
    expect((await read(deep(2, 1, 2, [0, 17, 4, 3, 5, 1023]))).warnings).toHaveLength(1);
  });

  test('are none where one value is large, or only alpha is', async () => {
    expect((await read(deep(2, 2, 0, [0, 17, 16_384, 3]))).warnings).toEqual([]);
    expect((await read(deep(1, 1, 4, [4095, 65_535]))).warnings).toHaveLength(1);
    expect((await read(picture(9, 9).png())).warnings).toEqual([]);
  });
});
