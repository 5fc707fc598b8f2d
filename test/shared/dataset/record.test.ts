import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEdits } from '../../../shared/dataset/edit.ts';
import { readKey, sampleKey } from '../../../shared/dataset/record.ts';
import { splitOf } from '../../../shared/sample/split.ts';
import { totals } from '../../../shared/dataset/tree.ts';
import { versionId } from '../../../shared/dataset/version-id.ts';
import { keyOf, MemoryStore, sample, small } from './samples.ts';

const md5 = fc.string({ minLength: 32, maxLength: 32, unit: fc.constantFrom(...'0123456789abcdef'.split('')) });

describe('a sample key', () => {
  test('holds version and hash, and sorts by them', () => {
    const part = fc.tuple(fc.integer({ min: 1, max: 999_999_999 }), md5);
    fc.assert(
      fc.property(part, part, ([a, x], [b, y]) => {
        expect(readKey(sampleKey(a, x))).toEqual({ versionNumber: a, md5: x });
        const order = a - b || (x < y ? -1 : x > y ? 1 : 0);
        expect(Math.sign(sampleKey(a, x) < sampleKey(b, y) ? -1 : sampleKey(a, x) > sampleKey(b, y) ? 1 : 0)).toBe(
          Math.sign(order),
        );
      }),
    );
  });

  test.each([
    '',
    '1-abc',
    `000000001-${'A'.repeat(32)}`,
    `0000000001-${'a'.repeat(32)}`,
    `000000001-${'a'.repeat(32)} `,
  ])('%j is none', (key) => {
    expect(() => readKey(key)).toThrow('not a sample key');
  });
});

describe('a split', () => {
  const digest = (share: number): string =>
    Math.floor(share * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0')
      .padEnd(64, '0');

  test('takes its share from the content hash alone', () => {
    const percents = { validationPercent: 10, testPercent: 20 };
    expect([0, 0.19, 0.21, 0.29, 0.31, 0.999].map((s) => splitOf(digest(s), percents))).toEqual([
      ...['test', 'test', 'validation', 'validation', 'train', 'train'],
    ]);
    const counts = { train: 0, validation: 0, test: 0 };
    for (let n = 0; n < 5000; n++) counts[splitOf(sample(n).sha256, percents)]++;
    expect(counts.test / 5000).toBeCloseTo(0.2, 1);
    expect(counts.validation / 5000).toBeCloseTo(0.1, 1);
  });

  test('moves no sample out of the test split when its share grows', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 44 }), (n, testPercent) => {
        const { sha256 } = sample(n);
        const before = splitOf(sha256, { validationPercent: 10, testPercent });
        if (before === 'test')
          expect(splitOf(sha256, { validationPercent: 10, testPercent: testPercent + 1 })).toBe('test');
      }),
    );
  });
});

describe('a version', () => {
  test('has an id that contents, parent and number make, and nothing else', () => {
    const version = { root: 'r', parent: null, number: 1 };
    // printf '{"number":1,"parent":null,"root":"r"}' | sha256sum
    expect(versionId(version)).toBe('8c0c9d136727b31e26c6d7ec91b3f21ea5189122e4ba4cb24c93112fdfb7fa7a');
    expect(versionId({ number: 1, root: 'r', parent: null })).toBe(versionId(version));
    const others = [
      { ...version, number: 2 },
      { ...version, parent: 'p' },
      { ...version, root: 's' },
    ];
    expect(new Set([version, ...others].map(versionId)).size).toBe(4);
  });

  test('counts classes whatever they are called', async () => {
    const store = new MemoryStore();
    const labels = ['constructor', 'toString', 'hasOwnProperty', '猫', '1'];
    const edits = Array.from({ length: 200 }, (_, n) => ({ key: keyOf(n), record: sample(n, labels[n % 5]) }));
    const applied = await applyEdits(store, null, edits, small);
    const counts = Object.fromEntries(labels.map((label) => [label, 40]));
    expect({ ...applied.totals.byClass }).toEqual(counts);
    expect({ ...(await totals(store, applied.root)).byClass }).toEqual(counts);
  });
});
