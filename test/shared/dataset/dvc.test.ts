import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { directoryObject, objectPath, pointerFile, relativePath } from '../../../shared/dataset/dvc.ts';
import { classification } from '../../../shared/task/classification/classification.ts';
import { sample } from './samples.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** The order of Python: the code points of two texts, one after the other. */
function byCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)].map((all) => all.map((one) => one.codePointAt(0) ?? 0));
  const at = left?.findIndex((point, i) => point !== right?.[i]) ?? -1;
  return at === -1 ? a.length - b.length : (left?.[at] ?? 0) - (right?.[at] ?? -1);
}

describe('the DVC export', () => {
  test('gives the directory id that DVC itself gives', () => {
    const files = ['foo', 'bar', 'sub_dir/baz'].map((relpath) => ({
      md5: md5(relpath === 'sub_dir/baz' ? 'sub_dir/baz' : relpath),
      relpath,
    }));
    expect(directoryObject(files).oid).toBe('55d05978954d1b2cd7b06aedda9b9e43.dir');
    expect(objectPath('55d05978954d1b2cd7b06aedda9b9e43.dir')).toBe('files/md5/55/d05978954d1b2cd7b06aedda9b9e43.dir');
  });

  test('sorts by code point and escapes as Python does', () => {
    const { bytes } = directoryObject(['\u{1f600}', '\uffee', 'é'].map((relpath) => ({ md5: md5('x'), relpath })));
    expect(bytes.toString()).toMatch(/relpath": "\\u00e9"}.*relpath": "\\uffee"}.*relpath": "\\ud83d\\ude00"}/);
  });

  test('has nothing for no files', () => {
    expect(directoryObject([]).bytes.toString()).toBe('[]');
  });

  test('orders any texts as their code points are ordered', () => {
    // half of them from where UTF-16 and code points differ: surrogates, alone and in pairs, and what lies beyond
    const unit = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7fe, max: 0xe001 }));
    const text = fc.array(unit, { maxLength: 6 }).map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), (paths) => {
        const { bytes } = directoryObject(paths.map((relpath) => ({ md5: '', relpath })));
        const order = (JSON.parse(bytes.toString()) as { relpath: string }[]).map(({ relpath }) => relpath);
        expect(order).toEqual([...paths].sort(byCodePoints));
      }),
      { numRuns: 2000 },
    );
  });

  test('of many files takes a few times as long as sorting their names', () => {
    const paths = Array.from({ length: 60_000 }, (_, n) => `train/class-${n % 50}/${md5(String(n))}.png`);
    const seconds = (work: () => unknown): number => {
      const before = process.cpuUsage();
      work();
      return process.cpuUsage(before).user;
    };
    const ratios = [1, 2, 3].map(() => {
      const files = paths.map((relpath) => ({ md5: relpath.slice(-36, -4), relpath }));
      const names = [...paths];
      return seconds(() => directoryObject(files)) / seconds(() => names.sort());
    });
    expect(Math.min(...ratios)).toBeLessThan(14);
  });

  test('keeps labels apart that look alike as paths', () => {
    expect(relativePath(sample(1, 'a b'), classification)).not.toBe(relativePath(sample(1, 'a%20b'), classification));
    expect(relativePath(sample(1, '..'), classification)).toMatch(
      /^(train|validation|test)\/%2E%2E\/[0-9a-f]{32}\.png$/,
    );
  });

  test('writes a pointer with the hash named, so that DVC does not read it as a 2.x entry', () => {
    expect(pointerFile({ oid: 'a.dir', sizeBytes: 5, files: 2 }, 'data')).toBe(
      'outs:\n- md5: a.dir\n  size: 5\n  nfiles: 2\n  hash: md5\n  path: data\n',
    );
  });
});
