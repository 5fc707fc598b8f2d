import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { type AcceptedImage, createImageReader } from '../../../shared/image/decode.ts';
import { toTensor } from '../../../shared/image/tensor.ts';
import { picture, tiff } from './craft.ts';

const reader = createImageReader();
const spec = { width: 16, height: 16, channels: 3 } as const;
const canary = 'CANARY-52.0907N-5.1214E';

async function read(bytes: Buffer, declared = 'image/tiff'): Promise<AcceptedImage> {
  const verdict = await reader.inspect(bytes, declared);
  if (!verdict.ok) throw new Error(verdict.detail);
  return verdict;
}
const grey = () => picture(40, 30).toColourspace('b-w');
const deep = () => picture(40, 30).toColourspace('grey16');

describe('a TIFF of one page', () => {
  test.each<[string, Sharp, Sharp]>([
    ['LZW', picture(40, 30).tiff({ compression: 'lzw' }), picture(40, 30).png()],
    ['Deflate', picture(40, 30).tiff({ compression: 'deflate', predictor: 'horizontal' }), picture(40, 30).png()],
    ['PackBits', picture(40, 30).tiff({ compression: 'packbits' }), picture(40, 30).png()],
    ['no compression', picture(40, 30).tiff({ compression: 'none' }), picture(40, 30).png()],
    [
      'tiles',
      picture(40, 30).tiff({ compression: 'lzw', tile: true, tileWidth: 16, tileHeight: 16 }),
      picture(40, 30).png(),
    ],
    ['alpha', picture(40, 30).ensureAlpha(0.4).tiff({ compression: 'lzw' }), picture(40, 30).ensureAlpha(0.4).png()],
    ['one grey channel', grey().tiff({ compression: 'lzw' }), grey().png()],
    ['one bit', grey().threshold().tiff({ compression: 'none', bitdepth: 1 }), grey().threshold().png()],
    ['16 bits', deep().tiff({ compression: 'lzw' }), deep().png()],
    [
      '16-bit colour',
      picture(40, 30).toColourspace('rgb16').tiff({ compression: 'lzw' }),
      picture(40, 30).toColourspace('rgb16').png(),
    ],
  ])('with %s is stored as a PNG of the same pixels', async (_name, made, same) => {
    const stored = await read(await made.toBuffer());
    const { pixelDigest, perceptualHash, channels } = await read(await same.toBuffer(), 'image/png');
    expect(stored).toMatchObject({ format: 'png', mediaType: 'image/png', declaredType: null });
    expect(stored).toMatchObject({ pixelDigest, perceptualHash, channels, width: 40, height: 30 });
    expect(stored.warnings).toEqual([{ code: 'converted', detail: expect.any(String) }]);
    expect((await sharp(stored.bytes).metadata()).format).toBe('png');
  });

  test('is scored as its PNG is', async () => {
    const bytes = await picture(40, 30).withIccProfile('p3').tiff({ compression: 'lzw' }).toBuffer();
    const stored = await read(bytes);
    const scored = await reader.preprocess(bytes, 'image/tiff', spec);
    expect(scored).toMatchObject({ ok: true, mediaType: 'image/png', bytes: stored.bytes });
    expect('tensor' in scored && scored.tensor).toEqual(await toTensor(stored.bytes, spec));
  });

  test('loses its metadata, keeps its colour profile and is turned upright', async () => {
    const bytes = await picture(40, 30)
      .withIccProfile('p3')
      .withExif({ IFD0: { Copyright: canary, Make: canary }, IFD3: { GPSLatitude: '52/1 5/1 26/1' } })
      .withMetadata({ orientation: 6 })
      .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${canary}</x:xmpmeta>`)
      .tiff({ compression: 'lzw' })
      .toBuffer();
    expect(bytes.includes(canary)).toBe(true);
    const stored = await read(bytes);
    const { exif, xmp, icc, orientation } = await sharp(stored.bytes).metadata();
    expect({ exif, xmp, orientation }).toEqual({});
    expect(icc?.equals((await sharp(bytes).metadata()).icc ?? Buffer.of(0))).toBe(true);
    expect(stored.bytes.includes(canary)).toBe(false);
    expect(stored).toMatchObject({ width: 30, height: 40 });
  });

  test('is what its bytes are, whatever is declared', async () => {
    const bytes = await picture(9, 9).tiff({ compression: 'lzw' }).toBuffer();
    expect(await read(bytes, 'image/jpeg')).toMatchObject({ mediaType: 'image/png', declaredType: 'image/jpeg' });
    expect(await read(bytes, 'image/x-tiff')).toMatchObject({ declaredType: null });
  });

  test('whose PNG would be larger than a file may be is refused', async () => {
    const bytes = await picture(40, 30).tiff({ compression: 'lzw' }).toBuffer();
    const noisy = createImageReader({ maxBytes: bytes.length });
    const verdict = await noisy.inspect(bytes);
    expect(verdict.ok || verdict.reason === 'too-large-bytes').toBe(true);
  });
});

describe('a TIFF is refused', () => {
  const rows = deflateSync(Buffer.alloc(16));
  const base = { width: 4, height: 4, samples: 1, compression: 8, part: { rows: 4 }, data: rows } as const;
  const sound = tiff(base);

  test('though a sound one beside it is not', async () => {
    expect(await reader.inspect(sound)).toMatchObject({ ok: true, width: 4 });
  });

  test.each<[string, Buffer, string, string]>([
    ['of two pages', tiff({ ...base, next: 8 }), 'unsupported-format', 'magick in.tif page-%d.png'],
    [
      'of a camera, in a codec of its own',
      tiff({ ...base, compression: 34_713 }),
      'unsupported-format',
      'magick in.tif out.png',
    ],
    ['that holds a JPEG', tiff({ ...base, compression: 7 }), 'unsupported-format', 'magick'],
    ['of fractions', tiff({ ...base, fields: [[339, 3]] }), 'unsupported-format', 'fractional'],
    ['of 32 bits', tiff({ ...base, fields: [[258, 32]] }), 'unsupported-format', '32 bits'],
    ['of CMYK', tiff({ ...base, samples: 4, fields: [[262, 5]] }), 'unsupported-format', 'colours of kind 5'],
    ['of two alpha channels', tiff({ ...base, fields: [[277, 3]] }), 'unsupported-format', '3 samples'],
    [
      'that is a BigTIFF',
      Buffer.concat([Buffer.from('II+\0\x08\0\0\0', 'latin1'), Buffer.alloc(40)]),
      'unsupported-format',
      'BigTIFF',
    ],
    ['with a strip beyond its end', tiff({ ...base, fields: [[273, 1e6]] }), 'truncated', 'before the end'],
    ['with a strip too few', tiff({ ...base, fields: [[278, 2]] }), 'corrupt', 'where all'],
    ['of no width', tiff({ ...base, fields: [[256, 0]] }), 'corrupt', 'how large'],
    ['with tiles of no width', tiff({ ...base, part: { tile: [16, 16] }, fields: [[322, 0]] }), 'corrupt', 'where all'],
    ['cut in its directory', sound.subarray(0, -8), 'truncated', 'directory'],
    ['cut in its header', sound.subarray(0, 6), 'truncated', 'header'],
    ['whose strip is damaged', tiff({ ...base, data: Buffer.from('no zlib stream') }), 'decode-failed', 'decoded'],
  ])('%s', async (_name, bytes, reason, detail) => {
    expect(await reader.inspect(bytes)).toMatchObject({ ok: false, reason, detail: expect.stringContaining(detail) });
  });

  test('or accepted, whatever is damaged in it: never an error', async () => {
    const original = await picture(20, 15).withMetadata({ orientation: 5 }).tiff({ compression: 'lzw' }).toBuffer();
    const flip = fc.record({ at: fc.nat(original.length - 1), value: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { maxLength: 4 }), async (flips) => {
        const bytes = Buffer.from(original);
        for (const { at, value } of flips) bytes[at] = value;
        const verdict = await reader.inspect(bytes);
        expect((await reader.preprocess(bytes, undefined, spec)).ok).toBe(verdict.ok);
      }),
      { numRuns: 100 },
    );
  });
});

test('a HEIC picture is refused with how to convert it', async () => {
  const bytes = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
  expect(await reader.inspect(bytes)).toMatchObject({
    reason: 'unsupported-format',
    detail: expect.stringMatching(/HEIC.*Convert it with `magick in\.heic out\.jpg`.*Most Compatible/),
  });
});
