import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { findNearDuplicates as find, type Looks, nearBits } from '../../../shared/sample/near-duplicates.ts';
import { createImageReader } from '../../../shared/image/decode.ts';
import { classification } from '../../../shared/task/classification/classification.ts';
import { createRandom } from '../../random.ts';

const looks = (id: string, hash: bigint, more: Partial<Looks> = {}): Looks => ({
  ...{ id, annotation: { label: 'a' }, split: 'train', perceptualHash: hash.toString(16).padStart(16, '0') },
  ...more,
});
const findNearDuplicates = (all: readonly Looks[], limits = {}) => find(classification, all, limits);
const bitsOf = (n: bigint): number => n.toString(2).replaceAll('0', '').length;

describe('pictures that look the same', () => {
  test('are all found, once each, and no others', () => {
    const hash = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    const near = fc.tuple(hash, fc.array(fc.nat(63), { maxLength: 5 })).map(([from, bits]) => ({
      from,
      to: bits.reduce((all, bit) => all ^ (1n << BigInt(bit)), from),
    }));
    fc.assert(
      fc.property(fc.array(near, { maxLength: 8 }), (given) => {
        const all = given.flatMap(({ from, to }) => [from, to]);
        const expected: string[] = [];
        for (let i = 0; i < all.length; i++)
          for (let j = 0; j < i; j++)
            if (bitsOf((all[i] ?? 0n) ^ (all[j] ?? 0n)) <= nearBits) expected.push(`${j}-${i}`);
        const { pairs, complete } = findNearDuplicates(all.map((one, i) => looks(String(i), one)));
        expect(complete).toBe(true);
        expect(pairs.map(({ samples: [a, b] }) => `${a.id}-${b.id}`).sort()).toEqual(expected.sort());
      }),
    );
  });

  test('in two splits come first, then those with two annotations', () => {
    const { pairs } = findNearDuplicates([
      ...[
        looks('1', 0n),
        looks('2', 0n),
        looks('3', 7n, { annotation: { label: 'b' } }),
        looks('4', 1n, { split: 'test' }),
      ],
    ]);
    expect(pairs.map(({ samples, distance }) => [samples.map(({ id }) => id).join(), distance])).toEqual([
      ...[
        ['3,4', 2],
        ['1,4', 1],
        ['2,4', 1],
        ['1,3', 3],
        ['2,3', 3],
        ['1,2', 0],
      ],
    ]);
  });

  test('in their thousands reach a limit, and it is said', () => {
    const same = Array.from({ length: 20_000 }, (_, i) => looks(String(i), 5n));
    const { pairs, complete } = findNearDuplicates(same);
    expect([pairs.length, complete]).toEqual([10_000, false]);
    // equal in one part, far from each other in the rest
    const apart = same.map((one, i) => ({ ...one, perceptualHash: `0000${'0f5a'[i % 4]?.repeat(12)}` }));
    expect(findNearDuplicates(apart, { maxPairs: 1e9, maxComparisons: 1000 }).complete).toBe(false);
  });

  test('are a photo and what is saved of it as a JPEG, a lossy WebP, or at half its size; another photo is none', async () => {
    const reader = createImageReader();
    const random = createRandom(1);
    const seen: Looks[] = [];
    for (let photo = 0; photo < 8; photo++) {
      const noise = Buffer.from(Array.from({ length: 8 * 8 * 3 }, () => random.between(0, 255)));
      const png = await sharp(noise, { raw: { width: 8, height: 8, channels: 3 } })
        .resize(256, 192, { kernel: 'cubic' })
        .png()
        .toBuffer();
      const saved = [png, sharp(png).jpeg({ quality: 80 }), sharp(png).jpeg({ quality: 50 })];
      for (const file of [...saved, sharp(png).webp({ quality: 75 }), sharp(png).resize(128).png()]) {
        const image = await reader.inspect(Buffer.isBuffer(file) ? file : await file.toBuffer());
        if (!image.ok) throw new Error(image.detail);
        seen.push(looks(String(photo), 0n, { perceptualHash: image.perceptualHash }));
      }
    }
    const { pairs } = findNearDuplicates(seen);
    expect(pairs.every(({ samples: [a, b] }) => a.id === b.id)).toBe(true);
    // of the ten pairs of each photo's five files
    expect(pairs.length).toBeGreaterThanOrEqual(8 * 9);
  });
});
