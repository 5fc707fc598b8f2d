/** Taking samples out of the staged ones. */
import pMap from 'p-map';
import type { Ports, Stored } from '../ports.ts';
import type { StagedDocument } from '../sample/document.ts';
import type { Staged } from './list-staged.ts';

/** what one batch may hold */
const perBatch = 100;
const parallel = 16;

/** Unstages samples that the head holds already with the very annotation that they had when they were listed. */
export async function unstage(
  ports: Pick<Ports, 'documents'>,
  project: string,
  listed: readonly Staged[],
): Promise<void> {
  const done = listed.filter(({ staged, sample }) => {
    if (sample === undefined || sample.document.annotation === null) return true;
    return staged.document.revision <= sample.document.revision;
  });
  await removeStaged(
    ports,
    project,
    done.map(({ staged }) => staged),
  );
}

/** Removes these very documents: one that was staged anew meanwhile stays. */
export async function removeStaged(
  ports: Pick<Ports, 'documents'>,
  project: string,
  staged: readonly Stored<StagedDocument>[],
): Promise<void> {
  for (let at = 0; at < staged.length; at += perBatch) {
    const part = staged.slice(at, at + perBatch);
    const operations = part.map(({ document, etag }) => ({ kind: 'remove' as const, id: document.id, etag }));
    if ((await ports.documents.batch('staged', project, operations)) === 'done') continue;
    // somebody staged a newer annotation or removed one of them: take them one by one
    await pMap(part, ({ document, etag }) => ports.documents.remove('staged', project, document.id, etag), {
      concurrency: parallel,
    });
  }
}
