/** Which samples of a project look the same. */
import { listAll } from '../list-all.ts';
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { taskOf } from '../task/task.ts';
import { findNearDuplicates, type Looks, type NearDuplicates } from './near-duplicates.ts';

/** about 1 KB each: what one call may read and hold */
const maxCompared = 20_000;

/** Compares the newest 20,000 samples; `complete` is false where there are more, or more pairs than are looked for. */
export async function listNearDuplicates(
  { documents }: Pick<Ports, 'documents'>,
  { id: project, settings }: ProjectDocument,
): Promise<NearDuplicates & { compared: number }> {
  const query = { equals: { project }, orderBy: { field: 'createdAt' as const, descending: true }, limit: 1000 };
  const looks: Looks[] = [];
  let read = 0;
  for await (const { document } of listAll(documents, 'samples', query, maxCompared + 1)) {
    const { id, annotation, split, perceptualHash } = document;
    if (++read <= maxCompared && perceptualHash !== undefined) looks.push({ id, annotation, split, perceptualHash });
  }
  const { pairs, complete } = findNearDuplicates(taskOf(settings), looks);
  return { pairs, compared: looks.length, complete: complete && read <= maxCompared };
}
