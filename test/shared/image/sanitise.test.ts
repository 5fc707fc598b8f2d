import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { sanitise } from '../../../shared/image/sanitise.ts';
import { walkStored } from '../../../shared/image/walk.ts';
import { findSegment, insert, jpegSegment, picture, pixels, pngChunk, webpChunk } from './craft.ts';

const canary = 'CANARY-52.0907N-5.1214E';
const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description>${canary}</rdf:Description></rdf:RDF></x:xmpmeta>`;

/** A picture full of metadata, as a phone would write it. */
function phonePicture(orientation: number) {
  return picture(48, 32)
    .withIccProfile('p3')
    .withExif({ IFD0: { Copyright: canary, Make: canary }, IFD3: { GPSLatitude: '52/1 5/1 26/1' } })
    .withMetadata({ orientation })
    .withXmp(xmp);
}

const clean = (bytes: Buffer) => sanitise(bytes, walkStored(bytes));

describe.each(['jpeg', 'png', 'webp'] as const)('%s', (format) => {
  test('loses EXIF, GPS and XMP, keeps orientation, colour profile and every pixel', async () => {
    const original = await phonePicture(6).toFormat(format).toBuffer();
    const sanitised = clean(original);
    const [before, after] = [await sharp(original).metadata(), await sharp(sanitised).metadata()];
    expect(original.includes(canary)).toBe(true);
    expect(sanitised.includes(canary)).toBe(false);
    expect(after.xmp).toBeUndefined();
    expect(after.exif?.length).toBeLessThanOrEqual(32);
    expect(after.orientation).toBe(6);
    expect(after.icc?.equals(before.icc ?? Buffer.of(0))).toBe(true);
    expect((await pixels(sanitised)).equals(await pixels(original))).toBe(true);
  });

  test('upright needs no EXIF at all', async () => {
    const sanitised = clean(await phonePicture(1).toFormat(format).toBuffer());
    expect((await sharp(sanitised).metadata()).exif).toBeUndefined();
  });

  test('without metadata is left as it is', async () => {
    const once = clean(await picture(20, 20).toFormat(format).toBuffer());
    expect(clean(once)).toBe(once);
  });

  test('sanitising is idempotent and keeps pixels, whatever the picture', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 8 }), async (width, orientation) => {
        const bytes = await picture(width, 17)
          .withMetadata({ orientation })
          .withXmp(xmp)
          .toFormat(format, { progressive: width % 2 === 0 })
          .toBuffer();
        const once = clean(bytes);
        expect(walkStored(once).orientation).toBe(orientation);
        expect(clean(once).equals(once)).toBe(true);
        expect((await pixels(once)).equals(await pixels(bytes))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});

describe('JPEG', () => {
  test('loses comments, thumbnails, IPTC, maker segments and fill bytes', async () => {
    const plain = await picture(24, 24).jpeg().toBuffer();
    const jfif = Buffer.concat([Buffer.from('JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01', 'latin1'), Buffer.from('abc')]);
    const marked = insert(
      plain,
      2,
      jpegSegment(0xe0, jfif),
      jpegSegment(0xe0, `JFXX\0\x10${canary}`),
      jpegSegment(0xed, `Photoshop 3.0\0${canary}`),
      Buffer.of(0xff, 0xff),
      jpegSegment(0xe2, `MPF\0${canary}`),
      jpegSegment(0xfe, canary),
    );
    const sanitised = clean(marked);
    expect(sanitised.includes(canary)).toBe(false);
    expect(sanitised.length).toBe(plain.length + 18);
    expect(clean(sanitised).equals(sanitised)).toBe(true);
    expect((await pixels(sanitised)).equals(await pixels(plain))).toBe(true);
  });

  test('keeps the Adobe marker, which decides colours, but nothing behind it', async () => {
    const cmyk = await picture(24, 24).toColourspace('cmyk').jpeg().toBuffer();
    const at = findSegment(cmyk, 0xee);
    const adobe = jpegSegment(0xee, Buffer.concat([cmyk.subarray(at + 4, at + 16), Buffer.from(canary)]));
    const sanitised = clean(Buffer.concat([cmyk.subarray(0, at), adobe, cmyk.subarray(at + 16)]));
    expect(sanitised.includes(canary)).toBe(false);
    expect((await pixels(sanitised)).equals(await pixels(cmyk))).toBe(true);
  });
});

test('PNG loses text, time and unknown chunks and keeps transparency', async () => {
  const plain = clean(await picture(24, 24).ensureAlpha(0.5).png({ palette: true }).toBuffer());
  const marked = insert(
    plain,
    33,
    pngChunk('tEXt', Buffer.from(`Comment\0${canary}`)),
    pngChunk('prVt', Buffer.from(canary)),
  );
  const late = insert(
    marked,
    marked.length - 12,
    pngChunk('tIME', Buffer.alloc(7)),
    pngChunk('zTXt', Buffer.from(canary)),
  );
  expect(clean(late).equals(plain)).toBe(true);
  expect(plain.includes('tRNS')).toBe(true);
});

test('WebP loses unknown chunks', async () => {
  const plain = clean(await phonePicture(3).webp().toBuffer());
  const marked = Buffer.concat([plain, webpChunk('priv', Buffer.from(`${canary}!`))]);
  marked.writeUInt32LE(marked.length - 8, 4);
  expect(clean(marked).equals(plain)).toBe(true);
});

test('an unreadable EXIF block counts as upright and goes', async () => {
  const plain = await picture(24, 24).jpeg().toBuffer();
  for (const exif of ['Exif\0\0', 'Exif\0\0II*\0\xff\xff\xff\xff', 'Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12']) {
    const marked = insert(plain, 2, jpegSegment(0xe1, exif));
    expect(walkStored(marked).orientation).toBe(1);
    expect(clean(marked).equals(plain)).toBe(true);
  }
});
