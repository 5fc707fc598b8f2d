/** The pictures of a batch, part by part. */
import { entries } from '../dataset/entries.ts';
import { treeStore } from '../dataset/store.ts';
import type { BlobContainer } from '../resources.ts';
import type { Blobs } from '../ports.ts';
import { storedName } from '../sample/content.ts';
import type { BatchDocument } from './document.ts';
import { partSize } from './results.ts';

/** One picture: how results name it, and where it lies. */
export interface BatchPicture {
  picture: string;
  container: BlobContainer;
  name: string;
}

export interface Slice {
  pictures: BatchPicture[];
  /** where the next slice begins; null: there is none */
  next: string | null;
}

/** The pictures of the next part. Of a version they are always the same ones; of uploads those that are there now. */
export async function nextSlice(blobs: Blobs, { pk: project, of, cursor }: BatchDocument): Promise<Slice> {
  if (of.kind === 'uploads') {
    const page = await blobs.page('uploads', `${project}/${of.prefix}`, {
      limit: partSize,
      ...(cursor !== null && { continuation: cursor }),
    });
    const pictures = page.names.map((name) => ({ picture: name, container: 'uploads' as const, name }));
    return { pictures, next: page.continuation ?? null };
  }
  const found: string[] = [];
  let last: string | null = null;
  const walk = {
    limit: partSize,
    ...(cursor !== null && { after: cursor }),
    ...(of.split !== null && { split: of.split }),
  };
  for await (const { key, record } of entries(treeStore(blobs, project), of.root, walk)) {
    found.push(record.md5);
    last = key;
  }
  const pictures = found.map((md5) => ({
    picture: md5,
    container: 'datasets' as const,
    name: storedName(project, md5),
  }));
  return { pictures, next: found.length < partSize ? null : last };
}
