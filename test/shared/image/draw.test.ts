/** Rectangles on real pictures, read back from the PNG that a person gets. */
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { createImageReader } from '../../../shared/image/decode.ts';
import type { LabelledRectangle } from '../../../shared/image/draw.ts';

const reader = createImageReader();
const ground = { r: 250, g: 250, b: 250 };
const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: ground } });
const cat: LabelledRectangle = { x: 100, y: 200, width: 300, height: 200, text: 'cat 93 %', group: 'cat' };

async function drawn(bytes: Buffer, rectangles: LabelledRectangle[]) {
  const png = await reader.draw(bytes, rectangles);
  if (!Buffer.isBuffer(png)) throw new Error(png.detail);
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
  const marked = (x: number, y: number): boolean => at(x, y).some((value) => Math.abs(value - ground.r) > 10);
  return { png, info, at, marked };
}

describe('a drawing', () => {
  test('has the lines where the rectangle ends, and the text above it', async () => {
    const { info, at, marked } = await drawn(await plain(800, 600).png().toBuffer(), [cat]);
    expect(info).toMatchObject({ format: 'raw', width: 800, height: 600, channels: 3 });
    const line = at(100, 300);
    for (const [x, y] of [
      [101, 300],
      [399, 300],
      [250, 200],
      [250, 399],
    ] as const)
      expect(at(x, y)).toEqual(line);
    expect(line).not.toEqual([250, 250, 250]);
    expect([marked(250, 300), marked(98, 300), marked(401, 300), marked(250, 401)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(marked(102, 190)).toBe(true);
    expect(marked(300, 190)).toBe(false);
  });

  test('is upright, however the file is stored', async () => {
    const stored = await plain(300, 600).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { info, marked } = await drawn(stored, [cat]);
    expect(info).toMatchObject({ width: 600, height: 300 });
    expect([marked(101, 250), marked(399, 250), marked(250, 250)]).toEqual([true, true, false]);
  });

  test.each([
    [4000, 3000, { width: 1280, height: 960 }],
    [28, 28, { width: 480, height: 480 }],
    [3000, 1, { width: 1280, height: 1 }],
    [1, 3000, { width: 1, height: 1280 }],
  ])('of %i x %i pixels has a size that a screen shows', async (width, height, size) => {
    const whole = { ...cat, x: 0, y: 0, width, height };
    const { info, png, marked } = await drawn(await plain(width, height).png().toBuffer(), [whole]);
    expect(info).toMatchObject(size);
    expect(png.length).toBeLessThan(6_000_000);
    expect(marked(0, 0)).toBe(true);
  });

  test('has the first rectangles on top, and keeps what lies at or beyond the edge inside', async () => {
    const corner = { ...cat, x: 790, y: -5, width: 40, height: 20 };
    const picture = await plain(800, 600).png().toBuffer();
    const { marked, at } = await drawn(picture, [
      cat,
      { ...cat, group: 'dog', text: 'dog 41 %' },
      corner,
      { ...cat, x: 1e9, y: 1e9 },
    ]);
    const alone = await drawn(picture, [cat]);
    expect(at(100, 300)).toEqual(alone.at(100, 300));
    expect(marked(795, 3)).toBe(true);
  });

  test.each([
    ['markup', '<b>&amp;</i> "\' <!-- ]]>'],
    ['a bracket alone', '<'],
    ['writing from right to left, and of many signs', 'חתול قطة 猫 ねこ кошка γάτα'],
    ['emoji and joined characters', '👩‍👩‍👧 e\u0301\u0301\u0301 ﷽'],
    ['halves of characters and controls', 'a\uD800b\u0000c\u2028d\uFFFEe'],
    ['nothing that is seen', '\u200B'],
    ['a hundred wide characters', 'W'.repeat(100)],
  ])('takes a text of %s as it is', async (_, text) => {
    const { marked } = await drawn(await plain(800, 600).png().toBuffer(), [{ ...cat, text }]);
    expect(marked(101, 300)).toBe(true);
  });

  test.each([
    ['grey of 16 bits', () => plain(600, 600).toColourspace('grey16').png().toBuffer()],
    ['transparent', () => plain(600, 600).ensureAlpha(0).png().toBuffer()],
    ['WebP', () => plain(600, 600).webp().toBuffer()],
  ])('is made of a picture that is %s', async (_, bytes) => {
    const { info, marked } = await drawn(await bytes(), [cat]);
    expect(info).toMatchObject({ width: 600, height: 600, channels: 3 });
    expect([marked(101, 300), marked(399, 300)]).toEqual([true, true]);
  });

  test('has at most 300 rectangles, and of no picture too large to be read', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => ({ ...cat, x: i % 700, text: `${i}` }));
    const { marked } = await drawn(await plain(800, 600).png().toBuffer(), many);
    expect(marked(301, 300)).toBe(true);
    expect(marked(301 + 300, 300)).toBe(false);
    const huge = await plain(9000, 9000).png().toBuffer();
    expect(await reader.draw(huge, [cat])).toMatchObject({ ok: false, reason: 'too-many-pixels' });
    expect(await reader.draw(Buffer.from('GIF89a'), [cat])).toMatchObject({ ok: false });
  });
});
