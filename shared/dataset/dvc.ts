/** A version as DVC knows it: a directory object in DVC's content-addressed layout, and the pointer file. */
import { createHash } from 'node:crypto';
import type { TaskKind } from '../task/task.ts';
import type { SampleRecord } from './record.ts';

export interface DvcFile {
  md5: string;
  relpath: string;
}

/** What JSON writes as it is. */
const plain = /^[ !#-[\]-~]*$/;

/** Python's json.dumps of a string: ASCII, lower-case \\uXXXX, surrogate pairs. */
function pythonString(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Python sorts text by code point, JavaScript by UTF-16 unit. The two differ only where there are surrogates. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const left = a.codePointAt(i) ?? 0;
    const right = b.codePointAt(i) ?? 0;
    if (left !== right) return left - right;
    if (left > 0xffff) i++;
  }
  return a.length - b.length;
}

const surrogate = /[\ud800-\udfff]/;
const byUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** files whose text is in memory at a time, beside the bytes */
const pieceFiles = 10_000;

/**
 * The bytes of a directory object and its id, exactly as `dvc add` makes them. Sorts `files` where they are, and lets nobody
 * else work meanwhile.
 */
export function directoryObject(files: DvcFile[]): { oid: string; bytes: Buffer } {
  const order = files.some(({ relpath }) => surrogate.test(relpath)) ? byCodePoint : byUnit;
  files.sort((a, b) => order(a.relpath, b.relpath));
  const pieces: Buffer[] = [];
  for (let at = 0; at < files.length; at += pieceFiles) {
    const items = files
      .slice(at, at + pieceFiles)
      .map(({ md5, relpath }) => `{"md5": ${pythonString(md5)}, "relpath": ${pythonString(relpath)}}`);
    pieces.push(Buffer.from(`${at === 0 ? '[' : ', '}${items.join(', ')}`, 'ascii'));
  }
  pieces.push(Buffer.from(files.length === 0 ? '[]' : ']', 'ascii'));
  const bytes = Buffer.concat(pieces);
  return { oid: `${createHash('md5').update(bytes).digest('hex')}.dir`, bytes };
}

/** Where an object lies in a DVC remote. */
export const objectPath = (oid: string): string => `files/md5/${oid.slice(0, 2)}/${oid.slice(2)}`;

const extensions: Record<string, string> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' };

/** Where a sample lies in a checked-out version: a folder for each split, in it those that the task kind makes. */
export const relativePath = ({ split, annotation, md5, mediaType }: SampleRecord, kind: TaskKind): string =>
  `${split}/${kind.folder(annotation)}/${md5}.${extensions[mediaType] ?? 'bin'}`;

/** The `.dvc` pointer file of a directory object. */
export function pointerFile(directory: { oid: string; sizeBytes: number; files: number }, name: string): string {
  return `outs:\n- md5: ${directory.oid}\n  size: ${directory.sizeBytes}\n  nfiles: ${directory.files}\n  hash: md5\n  path: ${name}\n`;
}
