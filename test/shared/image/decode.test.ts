import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { RetryLater } from '../../../shared/errors.ts';
import { createImageReader, type PreprocessedImage } from '../../../shared/image/decode.ts';
import { imageProblems } from '../../../shared/image/structure.ts';
import { toTensor } from '../../../shared/image/tensor.ts';
import { picture } from './craft.ts';

const reader = createImageReader();
const spec = { width: 16, height: 16, channels: 3 } as const;

describe('an honest image', () => {
  test.each([
    ['grey PNG', picture(28, 20).toColourspace('b-w').png(), 1, 'image/png'],
    ['grey PNG with alpha', picture(28, 20).ensureAlpha(0.5).toColourspace('b-w').png(), 2, 'image/png'],
    ['16-bit PNG', picture(28, 20).toColourspace('rgb16').png(), 3, 'image/png'],
    ['palette PNG', picture(28, 20).png({ palette: true }), 3, 'image/png'],
    ['PNG with alpha', picture(28, 20).ensureAlpha(0.5).png(), 4, 'image/png'],
    ['grey JPEG', picture(28, 20).toColourspace('b-w').jpeg(), 1, 'image/jpeg'],
    ['JPEG', picture(28, 20).jpeg(), 3, 'image/jpeg'],
    ['progressive JPEG', picture(28, 20).jpeg({ mozjpeg: true }), 3, 'image/jpeg'],
    ['CMYK JPEG', picture(28, 20).toColourspace('cmyk').jpeg(), 3, 'image/jpeg'],
    ['WebP', picture(28, 20).webp(), 3, 'image/webp'],
    ['WebP with alpha', picture(28, 20).ensureAlpha(0.5).webp(), 4, 'image/webp'],
    ['lossless WebP with alpha', picture(28, 20).ensureAlpha(0.5).webp({ lossless: true }), 4, 'image/webp'],
  ])('%s is accepted with its size and channels', async (_name, pipeline, channels, mediaType) => {
    const verdict = await reader.inspect(await pipeline.toBuffer(), mediaType);
    expect(verdict).toMatchObject({ ok: true, width: 28, height: 20, channels, mediaType });
  });

  test('lying on its side is as wide as it is shown', async () => {
    const bytes = await picture(28, 20).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await reader.inspect(bytes)).toMatchObject({ ok: true, width: 20, height: 28 });
  });

  test.each(['png', 'jpeg', 'webp'] as const)('in %s is preprocessed to what training makes of it', async (format) => {
    const bytes = await picture(28, 20).withMetadata({ orientation: 6 }).toFormat(format).toBuffer();
    const stored = await reader.inspect(bytes);
    const { tensor, ...rest } = (await reader.preprocess(bytes, `image/${format}`, spec)) as PreprocessedImage;
    expect(stored).toMatchObject(rest);
    expect(tensor).toEqual(await toTensor(rest.bytes, spec));
    expect(await reader.toTensor(rest.bytes, spec)).toEqual(tensor);
  });

  test('over the pixel limit of the reader is refused', async () => {
    const bytes = await picture(28, 20).png().toBuffer();
    expect(await createImageReader({ maxPixels: 559 }).inspect(bytes)).toMatchObject({ reason: 'too-many-pixels' });
    expect(await createImageReader({ maxPixels: 560 }).inspect(bytes)).toMatchObject({ ok: true });
  });

  test('that takes too long is refused with a timeout', async () => {
    const flat = { create: { width: 2000, height: 2000, channels: 3, background: '#fff' } } as const;
    const bytes = await sharp(flat).jpeg({ progressive: true }).toBuffer();
    const hasty = createImageReader({ timeoutSeconds: 1e-3 });
    const timeout = { ok: false, reason: 'decode-timeout' };
    expect(await hasty.inspect(bytes)).toMatchObject(timeout);
    expect(await hasty.preprocess(bytes, undefined, spec)).toMatchObject(timeout);
    await expect(hasty.toTensor(bytes, spec)).rejects.toThrow(/Decoding took longer than/);
  });

  // 28 pixels of three bytes in a row: two fit that are kept whole, and one that is made small
  const tight = () => createImageReader({ maxMemoryBytes: 115_000 });

  test('many at a time share the memory that one of them may take', async () => {
    const small = tight();
    const bytes = await picture(28, 20).jpeg().toBuffer();
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => small.inspect(bytes)));
    expect(verdicts.every(({ ok }) => ok)).toBe(true);
  });

  test.each([
    ['stored', 2],
    ['scored', 1],
    ['evaluated', 1],
  ])('to be %s is put off when 256 others wait for memory', async (purpose, atOnce) => {
    const small = tight();
    const bytes = await picture(28, 20).jpeg().toBuffer();
    const judge = async (): Promise<unknown> => {
      if (purpose === 'stored') return small.inspect(bytes);
      return purpose === 'scored' ? small.preprocess(bytes, 'image/jpeg', spec) : small.toTensor(bytes, spec);
    };
    const settled = await Promise.allSettled(Array.from({ length: 260 }, judge));
    const refused = settled.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(260 - 256 - atOnce);
    for (const one of refused) expect((one as PromiseRejectedResult).reason).toBeInstanceOf(RetryLater);
  });
});

describe('damage', () => {
  test.each([
    ['PNG', picture(1200, 1000).png({ compressionLevel: 1 })],
    ['JPEG', picture(1200, 1000).jpeg()],
  ])(
    'in the last rows of a large %s, which shrinking might skip, is refused for storing and for scoring',
    async (_name, pipeline) => {
      const bytes = await pipeline.toBuffer();
      const damaged = Buffer.concat([bytes.subarray(0, bytes.length - 700), bytes.subarray(bytes.length - 60)]);
      expect((await reader.inspect(damaged)).ok).toBe(false);
      expect((await reader.preprocess(damaged, undefined, spec)).ok).toBe(false);
      // the same damage where only the pixels tell, not the length of the file
      const flipped = Buffer.from(bytes).fill(0xff, bytes.length - 400, bytes.length - 380);
      expect((await reader.preprocess(flipped, undefined, spec)).ok).toBe((await reader.inspect(flipped)).ok);
    },
  );

  test('in the middle of a picture, found only by a full decode, is refused', async () => {
    const bytes = await picture(300, 200).jpeg({ progressive: true }).toBuffer();
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xa5, middle, middle + 40);
    const damaged = { ok: false, reason: 'decode-failed' };
    expect(await reader.inspect(bytes)).toMatchObject(damaged);
    expect(await reader.preprocess(bytes, 'image/jpeg', spec)).toMatchObject(damaged);
  });

  test.each(['png', 'jpeg', 'webp'] as const)(
    'anywhere in a %s is an answer, never an error, and quick',
    async (format) => {
      const bytes = await picture(40, 30)
        .withMetadata({ orientation: 5 })
        .toFormat(format, { progressive: true })
        .toBuffer();
      const flip = fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) });
      const damaged = fc.tuple(fc.array(flip, { maxLength: 5 }), fc.integer({ min: 0, max: bytes.length }));
      await fc.assert(
        fc.asyncProperty(damaged, async ([flips, size]) => {
          const copy = Buffer.from(bytes);
          for (const { at, value } of flips) copy[at] = value;
          const startMs = performance.now();
          for (const part of [copy, copy.subarray(0, size)]) {
            const verdict = await reader.inspect(part);
            expect((await reader.preprocess(part, undefined, spec)).ok).toBe(verdict.ok);
            if (!verdict.ok) expect(imageProblems).toContain(verdict.reason);
            else expect((await reader.inspect(verdict.bytes)).ok).toBe(true);
          }
          expect(performance.now() - startMs).toBeLessThan(2000);
        }),
        { numRuns: 60 },
      );
    },
  );

  test('a WebP that announces transparency and has none is read as what it decodes to', async () => {
    const bytes = await sharp({ create: { width: 24, height: 16, channels: 3, background: 'red' } })
      .withMetadata({ orientation: 5 })
      .webp()
      .toBuffer();
    expect(bytes.subarray(12, 16).toString()).toBe('VP8X');
    const flagged = Buffer.from(bytes);
    // https://developers.google.com/speed/webp/docs/riff_container#extended_file_format: the flag of alpha
    flagged[20] = (flagged[20] ?? 0) | 0x10;
    expect(await reader.inspect(flagged)).toMatchObject({ ok: true });
    expect((await reader.preprocess(flagged, undefined, spec)).ok).toBe(true);
  });

  test.each(['\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'RIFF____WEBP', ''])(
    'noise behind the start %j is refused',
    async (start) => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
          const verdict = await reader.inspect(Buffer.concat([Buffer.from(start, 'latin1'), noise]));
          expect(verdict.ok).toBe(false);
        }),
        { numRuns: 100 },
      );
    },
  );
});
