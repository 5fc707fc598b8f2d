/** The pictures of a batch, part by part. */
import { entries } from '../dataset/entries.ts';
import { treeStore } from '../dataset/store.ts';
import type { BlobContainer } from '../resources.ts';
import type { Blobs } from '../ports.ts';
import { storedName } from '../sample/content.ts';
import { pictureOf } from '../upload/sidecar.ts';
import type { BatchDocument } from './document.ts';
import { partSize } from './results.ts';

/** One picture: how results name it, and where it lies. */
export interface BatchPicture {
  picture: string;
  container: BlobContainer;
  name: string;
  sizeBytes: number;
}

export interface Slice {
  pictures: BatchPicture[];
  /** where the next slice begins; null: there is none */
  next: string | null;
}

/** The pictures of the next part. Of a version they are always the same ones; of uploads those that are there now. */
export async function nextSlice(blobs: Blobs, { pk: project, task, of, cursor }: BatchDocument): Promise<Slice> {
  if (of.kind === 'uploads') {
    const page = await blobs.page('uploads', `${project}/${of.prefix}`, {
      limit: partSize,
      ...(cursor !== null && { continuation: cursor }),
    });
    // files beside pictures are none
    const pictures = page.blobs
      .filter(({ name }) => pictureOf({ task }, name) === undefined)
      .map((blob) => ({ picture: blob.name, container: 'uploads' as const, ...blob }));
    return { pictures, next: page.continuation ?? null };
  }
  const pictures: BatchPicture[] = [];
  let last: string | null = null;
  const walk = {
    limit: partSize,
    ...(cursor !== null && { after: cursor }),
    ...(of.split !== null && { split: of.split }),
  };
  for await (const { key, record } of entries(treeStore(blobs, project), of.root, walk)) {
    const { md5, sizeBytes } = record;
    pictures.push({ picture: md5, container: 'datasets', name: storedName(project, md5), sizeBytes });
    last = key;
  }
  return { pictures, next: pictures.length < partSize ? null : last };
}
