/** A ZIP archive that is made while it is sent. */
import { Zip, ZipPassThrough } from 'fflate';

export interface ArchivedFile {
  name: string;
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * The archive of files, part by part, each as it comes: nothing is compressed, since what is large does not get smaller. `at`
 * is when all of them were made.
 */
export async function* zipOf(files: Iterable<ArchivedFile>, at: Date): AsyncGenerator<Buffer> {
  let ready: Uint8Array[] = [];
  let failed: Error | null = null;
  const zip = new Zip((error, part) => {
    failed ??= error;
    ready.push(part);
  });
  const take = (): Buffer => {
    if (failed !== null) throw failed as Error;
    const parts = ready;
    ready = [];
    return Buffer.concat(parts);
  };
  for (const { name, content } of files) {
    const entry = new ZipPassThrough(name);
    entry.mtime = at;
    zip.add(entry);
    for await (const part of content) {
      entry.push(part);
      yield take();
    }
    entry.push(new Uint8Array(), true);
  }
  zip.end();
  yield take();
}
