/** A version as DVC knows it: a directory object in DVC's content-addressed layout, and the pointer file. */
import { createHash } from 'node:crypto';
import type { SampleRecord } from './record.ts';

export interface DvcFile {
  md5: string;
  relpath: string;
}

/** Python's json.dumps of a string: ASCII, lower-case \\uXXXX, surrogate pairs. */
function pythonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Python sorts text by code point, JavaScript by UTF-16 unit. */
function byCodePoint(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The bytes of a directory object and its id, exactly as `dvc add` makes them. */
export function directoryObject(files: readonly DvcFile[]): { oid: string; bytes: Buffer } {
  const sorted = [...files].sort((a, b) => byCodePoint(a.relpath, b.relpath));
  const items = sorted.map(({ md5, relpath }) => `{"md5": ${pythonString(md5)}, "relpath": ${pythonString(relpath)}}`);
  const bytes = Buffer.from(`[${items.join(', ')}]`, 'ascii');
  return { oid: `${createHash('md5').update(bytes).digest('hex')}.dir`, bytes };
}

/** Where an object lies in a DVC remote. */
export const objectPath = (oid: string): string => `files/md5/${oid.slice(0, 2)}/${oid.slice(2)}`;

const extensions: Record<string, string> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' };

/** Where a sample lies in a checked-out version; labels are escaped so that any label is one folder name. */
export function relativePath({ split, label, md5, mediaType }: SampleRecord): string {
  const folder = encodeURIComponent(label).replace(
    /[.!'()*~]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${split}/${folder}/${md5}.${extensions[mediaType] ?? 'bin'}`;
}

/** The `.dvc` pointer file of a directory object. */
export function pointerFile(directory: { oid: string; sizeBytes: number; files: number }, name: string): string {
  return `outs:\n- md5: ${directory.oid}\n  size: ${directory.sizeBytes}\n  nfiles: ${directory.files}\n  hash: md5\n  path: ${name}\n`;
}
