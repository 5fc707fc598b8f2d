/**
 * Features of samples, kept in a folder for the next training on the same pictures. Each is one file, put in place whole
 * under a name that says everything it follows from: jobs may read and write at once, and be killed at any time.
 * The folder is a cache: whatever is missing or damaged in it is computed again, and a disk that is full keeps nothing.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { engineVersion } from '../../shared/onnx/engine.ts';

export interface FeatureStore {
  /** undefined: not kept, or damaged */
  read(digest: string): Promise<Float32Array | undefined>;
  /** Keeps a row under 32 hex digits that its picture has, until as much was written as the bound lets stay. */
  write(digest: string, row: Float32Array): Promise<void>;
  /** Removes what was not used for longest, down to the bound. */
  trim(): Promise<void>;
}

/** 50,000 embeddings */
const maxBytes = 256 * 1024 * 1024;
const checkBytes = 8;
/** What this program makes in the folder, also what was only begun. Whatever else somebody has there is left alone. */
const ownFile = /^[0-9a-f]{32}[/\\](\.[0-9a-f]{32}\.[0-9a-f-]{36}|[0-9a-f]{32})$/;

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest().subarray(0, checkBytes);

interface Kept {
  file: string;
  sizeBytes: number;
  usedAt: number;
}

async function listKept(folder: string): Promise<Kept[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => ownFile.test(path.relative(folder, file)));
  const found = files.map(async (file): Promise<Kept[]> => {
    const about = await stat(file).catch(() => undefined);
    // another job has removed it
    return about === undefined ? [] : [{ file, sizeBytes: about.size, usedAt: about.mtimeMs }];
  });
  return (await Promise.all(found)).flat();
}

/** Opens the part of `folder` for features of `size` numbers that follow from the pictures and `version`. */
export async function openFeatureStore(
  folder: string,
  version: string,
  size: number,
  limitBytes = maxBytes,
): Promise<FeatureStore> {
  const of = createHash('sha256').update(`${engineVersion}\n${version}`).digest('hex').slice(0, 32);
  const place = path.join(folder, of);
  // without a folder that can be written to nothing is kept
  let works = await mkdir(place, { recursive: true }).then(
    () => true,
    () => false,
  );
  let roomBytes = limitBytes;
  return {
    async read(digest) {
      const file = path.join(place, digest);
      const bytes = await readFile(file).catch(() => undefined);
      const length = size * Float32Array.BYTES_PER_ELEMENT;
      if (bytes?.length !== length + checkBytes || !digestOf(bytes.subarray(0, length)).equals(bytes.subarray(length)))
        return undefined;
      const now = new Date();
      await utimes(file, now, now).catch(() => undefined);
      return new Float32Array(Uint8Array.from(bytes.subarray(0, length)).buffer);
    },
    async write(digest, row) {
      const sizeBytes = row.byteLength + checkBytes;
      if (!works || sizeBytes > roomBytes) return;
      roomBytes -= sizeBytes;
      const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
      const begun = path.join(place, `.${digest}.${randomUUID()}`);
      try {
        await writeFile(begun, Buffer.concat([bytes, digestOf(bytes)]));
        await rename(begun, path.join(place, digest));
      } catch (error) {
        works = false;
        console.error(`features are not kept: ${error instanceof Error ? error.message : String(error)}`);
        await rm(begun, { force: true }).catch(() => undefined);
      }
    },
    async trim() {
      const kept = await listKept(folder).catch(() => []);
      let sizeBytes = kept.reduce((sum, one) => sum + one.sizeBytes, 0);
      for (const one of kept.sort((a, b) => a.usedAt - b.usedAt)) {
        if (sizeBytes <= limitBytes) return;
        await rm(one.file, { force: true }).catch(() => undefined);
        sizeBytes -= one.sizeBytes;
      }
    },
  };
}
