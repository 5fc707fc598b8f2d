import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { directoryObject, objectPath, pointerFile, relativePath } from '../../../shared/dataset/dvc.ts';
import { sample } from './samples.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

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

  test('keeps labels apart that look alike as paths', () => {
    expect(relativePath(sample(1, 'a b'))).not.toBe(relativePath(sample(1, 'a%20b')));
    expect(relativePath(sample(1, '..'))).toMatch(/^(train|validation|test)\/%2E%2E\/[0-9a-f]{32}\.png$/);
  });

  test('writes a pointer with the hash named, so that DVC does not read it as a 2.x entry', () => {
    expect(pointerFile({ oid: 'a.dir', sizeBytes: 5, files: 2 }, 'data')).toBe(
      'outs:\n- md5: a.dir\n  size: 5\n  nfiles: 2\n  hash: md5\n  path: data\n',
    );
  });
});
