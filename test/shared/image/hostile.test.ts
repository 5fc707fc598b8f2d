import { Buffer } from 'node:buffer';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createImageReader } from '../../../shared/image/decode.ts';
import { type ImageProblem, imageProblems } from '../../../shared/image/structure.ts';
import {
  findSegment,
  greyRows,
  insert,
  jpegSegment,
  picture,
  png,
  pngChunk,
  pngHeader,
  webp,
  webpCanvas,
  webpChunk,
} from './craft.ts';

const reader = createImageReader();
const goodPng = await picture(40, 30).png().toBuffer();
const goodJpeg = await picture(40, 30).jpeg().toBuffer();
const goodWebp = await picture(40, 30).webp().toBuffer();
const avif = await picture(16, 16).avif({ effort: 0 }).toBuffer();
const losslessWebp = await picture(40, 30).webp({ lossless: true }).toBuffer();

/** Inspects, and checks that the detail is one a person can act on. */
async function reasonFor(bytes: Buffer, declaredType?: string): Promise<ImageProblem | 'accepted'> {
  const verdict = await reader.inspect(bytes, declaredType);
  if (verdict.ok) return 'accepted';
  expect(imageProblems).toContain(verdict.reason);
  expect(verdict.detail).toMatch(/^[A-Z][^.]+.*\. ?.*\.$/s);
  return verdict.reason;
}

describe('any file', () => {
  test.each<[string, Buffer, ImageProblem]>([
    ['no bytes', Buffer.alloc(0), 'empty'],
    ['text', Buffer.from('name,label\na,b\n'), 'not-an-image'],
    ['one byte', Buffer.of(0x89), 'not-an-image'],
    ['GIF', Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1'), 'unsupported-format'],
    ['SVG', Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), 'unsupported-format'],
    ['AVIF', avif, 'unsupported-format'],
    ['PDF', Buffer.from('%PDF-1.7\n'), 'unsupported-format'],
  ])('%s is refused', async (_name, bytes, reason) => {
    expect(await reasonFor(bytes, 'image/png')).toBe(reason);
  });

  test.each([
    [goodPng, 'image/jpeg', 'image/jpeg'],
    [goodJpeg, 'IMAGE/PNG; name=a.png', 'image/png'],
    [goodPng, 'text/html\r\n<script>', 'text/html??<script>'],
    [goodWebp, 'x'.repeat(5000), 'x'.repeat(100)],
    [goodPng, 'image/png; charset=binary', null],
    [goodJpeg, 'image/jpg', null],
    [goodWebp, 'application/octet-stream', null],
    [goodWebp, undefined, null],
  ])('is what its bytes are; a declared type that says otherwise is noted (%#)', async (bytes, declared, noted) => {
    const verdict = await reader.inspect(bytes, declared);
    expect(verdict).toEqual({ ...(await reader.inspect(bytes)), declaredType: noted });
  });

  test('a file over the byte limit is refused unread', async () => {
    const verdict = await createImageReader({ maxBytes: 10 }).inspect(goodPng);
    expect(verdict).toMatchObject({ ok: false, reason: 'too-large-bytes' });
  });

  test.each([
    ['PNG', goodPng],
    ['JPEG', goodJpeg],
    ['WebP', goodWebp],
  ])('%s loses what is behind its end, and its length is told', async (_name, bytes) => {
    for (const behind of ['PK\x03\x04', '\0', '\r\n', '<script>'.repeat(500), bytes.toString('latin1')]) {
      const verdict = await reader.inspect(Buffer.concat([bytes, Buffer.from(behind, 'latin1')]));
      expect(verdict).toEqual({ ...(await reader.inspect(bytes)), trailingBytes: behind.length });
    }
  });

  test.each([
    ['PNG', goodPng],
    ['JPEG', goodJpeg],
    ['WebP', goodWebp],
  ])('%s cut anywhere is refused', async (_name, bytes) => {
    for (let size = 0; size < bytes.length; size += Math.ceil(bytes.length / 60)) {
      expect(await reasonFor(bytes.subarray(0, size))).not.toBe('accepted');
    }
    expect(await reasonFor(bytes.subarray(0, -1))).toBe('truncated');
  });
});

describe('PNG', () => {
  const palette = pngHeader(4, 4, [8, 3, 0, 0, 0]);
  const profile = Buffer.concat([Buffer.from('p\0\0'), deflateSync(Buffer.alloc(5_000_000))]);
  test.each<[string, Buffer, ImageProblem]>([
    [
      'a wrong CRC in an ancillary chunk',
      insert(goodPng, 33, pngChunk('tEXt', Buffer.from('a\0b')).fill(0, 14)),
      'corrupt',
    ],
    ['a wrong CRC in IEND', Buffer.concat([goodPng.subarray(0, -1), Buffer.of(0)]), 'corrupt'],
    ['no IEND', goodPng.subarray(0, -12), 'truncated'],
    ['data in IEND', Buffer.concat([goodPng.subarray(0, -12), pngChunk('IEND', Buffer.from('x'))]), 'trailing-data'],
    ['no pixels', png(pngHeader(4, 4)), 'corrupt'],
    ['a size of zero', png(pngHeader(0, 4), greyRows(4, 4)), 'corrupt'],
    ['an impossible depth', png(pngHeader(4, 4, [3, 0, 0, 0, 0]), greyRows(4, 4)), 'corrupt'],
    ['a missing palette', png(palette, greyRows(4, 4)), 'corrupt'],
    ['a palette of broken size', png(palette, pngChunk('PLTE', Buffer.alloc(4)), greyRows(4, 4)), 'corrupt'],
    ['two headers', png(pngHeader(4, 4), pngHeader(4, 4), greyRows(4, 4)), 'corrupt'],
    ['an unknown required chunk', png(pngHeader(4, 4), pngChunk('ABCD'), greyRows(4, 4)), 'corrupt'],
    ['pixels in two places', png(pngHeader(4, 4), greyRows(4, 4), pngChunk('tEXt'), pngChunk('IDAT')), 'corrupt'],
    ['missing rows', png(pngHeader(4, 4), greyRows(4, 3)), 'truncated'],
    ['extra rows', png(pngHeader(4, 4), greyRows(4, 5)), 'trailing-data'],
    ['extra rows in a big picture', png(pngHeader(1000, 1000), greyRows(1000, 1001)), 'trailing-data'],
    [
      'bytes behind its compressed data',
      png(pngHeader(4, 4), greyRows(4, 4), pngChunk('IDAT', Buffer.from('x'))),
      'trailing-data',
    ],
    ['a bomb of 100 MB behind a small header', png(pngHeader(4, 4), greyRows(10_000, 10_000)), 'trailing-data'],
    ['a bomb in its colour profile', png(pngHeader(4, 4), pngChunk('iCCP', profile), greyRows(4, 4)), 'corrupt'],
    ['a secret in a gamma chunk', png(pngHeader(4, 4), pngChunk('gAMA', Buffer.alloc(9)), greyRows(4, 4)), 'corrupt'],
    ['256 megapixels in its header', png(pngHeader(16_000, 16_000), greyRows(4, 4)), 'too-many-pixels'],
    ['animation', png(pngHeader(4, 4), pngChunk('acTL', Buffer.alloc(8)), greyRows(4, 4)), 'animated'],
    [
      'a million empty chunks',
      png(pngHeader(4, 4), ...Array.from({ length: 70_000 }, () => pngChunk('IDAT'))),
      'too-many-parts',
    ],
  ])('with %s is refused', async (_name, bytes, reason) => {
    expect(await reasonFor(bytes)).toBe(reason);
  });

  test('with compressed data of wrong checksum is refused', async () => {
    const rows = deflateSync(Buffer.alloc(20));
    rows.fill(7, rows.length - 1);
    expect(await reasonFor(png(pngHeader(4, 4), pngChunk('IDAT', rows)))).toBe('corrupt');
  });

  test.each([1, 2, 3, 5, 8, 9, 17])('interlaced at %i pixels is accepted', async (size) => {
    const bytes = await picture(size, size + 1)
      .png({ progressive: true })
      .toBuffer();
    expect(await reasonFor(bytes)).toBe('accepted');
  });
});

describe('JPEG', () => {
  const frameAt = findSegment(goodJpeg, 0xc0);
  const scanAt = findSegment(goodJpeg, 0xda);
  const withByte = (at: number, value: number) => Buffer.from(goodJpeg).fill(value, at, at + 1);
  const scan = goodJpeg.subarray(scanAt, -2);
  const end = goodJpeg.subarray(-2);

  test.each<[string, Buffer, ImageProblem]>([
    ['arithmetic coding announced over Huffman data', withByte(frameAt + 1, 0xc9), 'unsupported-format'],
    ['lossless coding', withByte(frameAt + 1, 0xc3), 'unsupported-format'],
    ['12 bits', withByte(frameAt + 4, 12), 'unsupported-format'],
    ['two frames', insert(goodJpeg, frameAt, goodJpeg.subarray(frameAt, frameAt + 19)), 'corrupt'],
    ['a component painted twice', Buffer.concat([goodJpeg.subarray(0, -2), scan, end]), 'corrupt'],
    ['no scan', Buffer.concat([goodJpeg.subarray(0, scanAt), end]), 'truncated'],
    ['a scan before its frame', Buffer.concat([goodJpeg.subarray(0, 2), scan, end]), 'corrupt'],
    ['a second start inside', insert(goodJpeg, scanAt, Buffer.of(0xff, 0xd8)), 'corrupt'],
    ['more restarts than rows', insert(goodJpeg, goodJpeg.length - 2, Buffer.of(0xff, 0xd0, 1, 2)), 'trailing-data'],
    ['far too much pixel data', insert(goodJpeg, goodJpeg.length - 2, Buffer.alloc(100_000, 1)), 'trailing-data'],
    [
      'a hundred thousand segments',
      insert(goodJpeg, 2, Buffer.concat(Array<Buffer>(1e5).fill(jpegSegment(0xfe, '')))),
      'too-many-parts',
    ],
    ['64,000 x 64,000 in its header', withSize(64_000, 64_000), 'too-many-pixels'],
  ])('with %s is refused', async (_name, bytes, reason) => {
    expect(await reasonFor(bytes)).toBe(reason);
  });

  function withSize(width: number, height: number): Buffer {
    const bytes = Buffer.from(goodJpeg);
    bytes.writeUInt16BE(height, frameAt + 5);
    bytes.writeUInt16BE(width, frameAt + 7);
    return bytes;
  }

  test('with more than 100 scans is refused before any decoding', async () => {
    const progressive = await picture(40, 30).jpeg({ progressive: true }).toBuffer();
    const lastScan = progressive.lastIndexOf(Buffer.from([0xff, 0xda]));
    const many = Array<Buffer>(100).fill(progressive.subarray(lastScan, -2));
    expect(await reasonFor(insert(progressive, progressive.length - 2, ...many))).toBe('too-many-scans');
    expect(await reasonFor(progressive)).toBe('accepted');
  });

  test('with a missing colour is refused', async () => {
    const progressive = await picture(40, 30).jpeg({ progressive: true }).toBuffer();
    const firstScan = progressive.indexOf(Buffer.from([0xff, 0xda]));
    expect(await reasonFor(Buffer.concat([progressive.subarray(0, firstScan), end]))).toBe('truncated');
  });
});

describe('WebP', () => {
  const image = goodWebp.subarray(12);
  const canvas = webpCanvas(0, 40, 30);

  test.each<[string, Buffer, ImageProblem]>([
    ['an animation flag', webp(webpCanvas(2, 40, 30), image), 'animated'],
    ['a frame chunk', webp(canvas, webpChunk('ANMF', Buffer.alloc(16)), image), 'animated'],
    ['two pictures', webp(canvas, image, image), 'corrupt'],
    ['two pictures and no canvas', webp(image, image), 'corrupt'],
    ['no picture', webp(canvas), 'corrupt'],
    ['a canvas of another size', webp(webpCanvas(0, 41, 30), image), 'corrupt'],
    ['a picture that is no key frame', Buffer.from(goodWebp).fill((goodWebp[20] ?? 0) | 1, 20, 21), 'corrupt'],
    ['a padding byte that says something', webp(canvas, image, webpChunk('abcd', Buffer.of(1)).fill(7, 9)), 'corrupt'],
    ['stray bytes inside its size', webp(image, Buffer.of(1, 2)), 'corrupt'],
    [
      'a hundred chunks',
      webp(canvas, ...Array<Buffer>(100).fill(webpChunk('abcd', Buffer.alloc(0))), image),
      'too-many-parts',
    ],
    [
      'far too much pixel data',
      webp(webpChunk('VP8 ', Buffer.concat([image.subarray(8), Buffer.alloc(200_000, 1)]))),
      'trailing-data',
    ],
  ])('with %s is refused', async (_name, bytes, reason) => {
    expect(await reasonFor(bytes)).toBe(reason);
  });

  test('of a real animation is refused', async () => {
    const frames = await picture(16, 32).webp().toBuffer();
    const bytes = await sharp(await sharp(frames).raw().toBuffer(), {
      raw: { width: 16, height: 32, channels: 3, pageHeight: 16 },
    })
      .webp({ loop: 0, delay: [100, 100] })
      .toBuffer();
    expect(await reasonFor(bytes)).toBe('animated');
  });

  test.each([
    ['lossy', goodWebp],
    ['lossless', losslessWebp],
  ])('of a %s download that stopped half-way is refused', async (_name, bytes) => {
    expect(await reasonFor(Buffer.from(bytes).fill(0, Math.floor(bytes.length / 2)))).toBe('truncated');
  });

  test('of one colour ends in zeros and is accepted', async () => {
    const white = { create: { width: 2000, height: 1500, channels: 3, background: '#fff' } } as const;
    expect(await reasonFor(await sharp(white).webp().toBuffer())).toBe('accepted');
  });
});
