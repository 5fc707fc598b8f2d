/** Which program trains: a digest of the file that was started and of everything of ours that it imports. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const relativeImport = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g;
const maxFiles = 500;

/**
 * `sha256:` and the digest of the program's own files, hex. It depends on their contents and on where they lie beside
 * each other, not on the folder that holds them; a bundle is one file. Packages are left to the lockfile.
 * Throws when the program itself cannot be read.
 */
export function codeDigest(entry: string): string {
  const files = new Map<string, Buffer>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined && files.size < maxFiles; file = open.pop()) {
    if (files.has(file)) continue;
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      if (file === entry) throw error;
      // text that only looks like an import
      continue;
    }
    files.set(file, bytes);
    for (const [, specifier = ''] of bytes.toString('utf8').matchAll(relativeImport))
      open.push(path.resolve(path.dirname(file), specifier));
  }
  const hash = createHash('sha256');
  const named = [...files].map(([file, bytes]) => [path.relative(path.dirname(entry), file), bytes] as const);
  for (const [name, bytes] of named.sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name.replaceAll(path.sep, '/')}\0${bytes.length}\0`).update(bytes);
  }
  return `sha256:${hash.digest('hex')}`;
}
