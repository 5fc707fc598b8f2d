/**
 * `npm run package`: makes dist/darkroom.zip, which is what is deployed, and prints its size and digest. dist/app holds
 * the same files, for azd, which packs by itself.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createPackage, maxPackageBytes } from './create.ts';

const root = path.resolve(import.meta.dirname, '../..');
const target = path.join(root, 'dist/darkroom.zip');
const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

const startedAt = performance.now();
const { bytes, contents } = await createPackage(root, path.join(root, 'dist/app'));
await mkdir(path.dirname(target), { recursive: true });
await writeFile(target, bytes);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(
  `${path.relative(process.cwd(), target)}: ${megabytes(bytes.length)} MB of at most ${megabytes(maxPackageBytes)} MB, ${contents.size} files, in ${seconds} s`,
);
console.log(`sha256 ${createHash('sha256').update(bytes).digest('hex')}`);
