import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeNode, encodeNode } from '../../../shared/dataset/codec.ts';
import { RetryLater } from '../../../shared/errors.ts';
import type { Node } from '../../../shared/dataset/node.ts';
import { annotationSources, sampleKey, type SampleRecord, splits } from '../../../shared/dataset/record.ts';
import { classification } from '../../../shared/task/classification/classification.ts';
import { type Annotation, kinds } from '../../../shared/task/task.ts';
import { keyOf, sample } from './samples.ts';

const task = 'classification';
const hex = (digits: number) =>
  fc.string({ minLength: digits, maxLength: digits, unit: fc.constantFrom(...'0123456789abcdef'.split('')) });
const size = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const versionNumber = fc.integer({ min: 1, max: 999_999_999 });

const record: fc.Arbitrary<SampleRecord> = fc.record({
  ...{ md5: hex(32), sha256: hex(64), sizeBytes: size, mediaType: text, width: size, height: size, channels: size },
  annotation: fc.record({ label: text }, { noNullPrototype: true }),
  source: fc.constantFrom(...annotationSources),
  split: fc.constantFrom(...splits),
});
const leaf: fc.Arbitrary<Node> = fc
  .array(fc.tuple(versionNumber, record), { minLength: 1, maxLength: 20 })
  .map((all) => ({
    ...{ task, level: 0 },
    entries: all.map(([number, one]) => ({ key: sampleKey(number, one.md5), record: one })),
  }));
const totals = fc.record({
  count: size,
  byClass: fc.dictionary(text, size, { maxKeys: 5, noNullPrototype: false }),
  bySplit: fc.record({ train: size, validation: size, test: size }, { noNullPrototype: true }),
});
const inner: fc.Arbitrary<Node> = fc
  .tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.tuple(versionNumber, hex(32), hex(64), totals), { minLength: 1, maxLength: 20 }),
  )
  .map(([level, all]) => ({
    ...{ task, level },
    entries: all.map(([number, md5, digest, counted]) => ({ key: sampleKey(number, md5), digest, totals: counted })),
  }));

const plain = (node: Node): unknown => JSON.parse(JSON.stringify(node));

describe('a node of the version tree', () => {
  test('is read as it was written, and written again as the same bytes', () => {
    fc.assert(
      fc.property(fc.oneof(leaf, inner), (node) => {
        const bytes = encodeNode(node);
        const read = decodeNode(bytes);
        expect(plain(read)).toEqual(plain(node));
        expect(encodeNode(read).equals(bytes)).toBe(true);
      }),
    );
  });

  test('says in its first fields what it is, of which layout and task kind, and then names every field', () => {
    const entries = [{ key: keyOf(1, 7), record: sample(1, 'Katze 猫') }];
    const { md5, sha256, split } = sample(1);
    const base64 = (digits: string): string => Buffer.from(digits, 'hex').toString('base64');
    expect(encodeNode({ task, level: 0, entries }).toString()).toBe(
      `{"node":"leaf","version":1,"task":"classification","entries":{"versionNumber":[7],"md5":"${base64(md5)}","sha256":"${base64(sha256)}",` +
        `"sizeBytes":[1001],"width":[28],"height":[28],"channels":[1],"mediaType":{"values":["image/png"],"at":[0]},` +
        `"annotation":{"values":[{"label":"Katze 猫"}],"at":[0]},"source":{"values":["path"],"at":[0]},"split":{"values":["${split}"],"at":[0]}}}`,
    );
  });

  test('has the same bytes for annotations that are equal, however they were written', () => {
    const kind = {
      ...classification,
      name: 'points',
      canonical: ({ x, y }: Annotation) => JSON.stringify({ x, y }),
      counts: () => [],
    };
    kinds.set(kind.name, kind);
    try {
      const bytesOf = (annotation: Annotation) =>
        encodeNode({ task: 'points', level: 0, entries: [{ key: keyOf(1), record: { ...sample(1), annotation } }] });
      expect(bytesOf({ y: 2, x: 1 })).toEqual(bytesOf({ x: 1, y: 2 }));
      expect(bytesOf({ y: 2, x: 1 })).not.toEqual(bytesOf({ x: 2, y: 1 }));
    } finally {
      kinds.delete(kind.name);
    }
  });
});

describe('bytes that are no node', () => {
  const written = encodeNode({ task, level: 0, entries: [1, 2].map((n) => ({ key: keyOf(n), record: sample(n) })) });
  const other = (change: object): Buffer =>
    Buffer.from(JSON.stringify({ ...(JSON.parse(written.toString()) as object), ...change }));

  test('are refused when they are cut, extended or of another kind, never half read', () => {
    for (let length = 0; length < written.length; length++)
      expect(() => decodeNode(written.subarray(0, length))).toThrow('no version tree node');
    expect(() => decodeNode(Buffer.concat([written, Buffer.from([0])]))).toThrow('no version tree node');
    expect(() => decodeNode(other({ node: 'branch' }))).toThrow('cannot be read');
    expect(() => decodeNode(other({ more: 1 }))).toThrow('cannot be read');
  });

  test('of a later layout say which release reads them', () => {
    const newer = () => decodeNode(other({ version: 2 }));
    expect(newer).toThrow('layout version 2, and this release reads up to 1');
    expect(newer).toThrow(RetryLater);
    expect(() => decodeNode(other({ version: 0 }))).toThrow('cannot be read');
  });

  test('are refused when one column is shorter than the others, or points nowhere', () => {
    const { entries } = JSON.parse(written.toString()) as { entries: Record<string, unknown> };
    const changed = (column: string, value: unknown) => () =>
      decodeNode(other({ entries: { ...entries, [column]: value } }));
    expect(changed('width', [28])).toThrow('shorter than the others');
    expect(changed('md5', 'AAAA')).toThrow('more or fewer entries');
    expect(changed('split', { values: ['train'], at: [0, 1] })).toThrow('shorter than the others');
    expect(changed('split', { values: ['elsewhere'], at: [0, 0] })).toThrow('cannot be read');
  });

  test('of any kind are read or refused in bounded time', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(() => decodeNode(Buffer.from(bytes))).toThrow(Error);
        },
      ),
      { numRuns: 500 },
    );
  });
});
