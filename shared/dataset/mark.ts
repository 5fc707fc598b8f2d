/** After a commit: writes key and first version into its samples, and takes them out of the staged ones. */
import pMap from 'p-map';
import type { SampleDocument, StagedDocument } from '../sample/document.ts';
import type { VersionSummary } from './document.ts';
import { update } from '../update.ts';
import { isSame, type TaskKind, taskOf } from '../task/task.ts';
import type { Ports, Stored } from '../ports.ts';
import { samplePartition } from '../sample/partition.ts';
import type { SampleRecord } from './record.ts';

type MarkPorts = Pick<Ports, 'documents'>;

const parallel = 16;

export interface Marked {
  key: string;
  record: SampleRecord;
}

/**
 * Writes key and first version of a version that is the head into its samples, and unstages those whose annotation, and
 * where it came from, are the committed ones, while nobody builds on that version.
 */
export async function mark(
  ports: MarkPorts,
  project: string,
  { number, version, task }: VersionSummary,
  part: Marked[],
): Promise<void> {
  const partitions = new Map<string, Marked[]>();
  for (const marked of part) {
    const pk = samplePartition(project, marked.record.md5);
    partitions.set(pk, [...(partitions.get(pk) ?? []), marked]);
  }
  const settled = await pMap(
    [...partitions],
    ([pk, group]) => markPartition(ports, pk, { number, kind: taskOf({ task }) }, group),
    {
      concurrency: parallel,
    },
  );
  const staged = await pMap(
    settled.flat(),
    async ({ id, revision }) => {
      const found = await ports.documents.read('staged', project, id);
      return found !== undefined && found.document.revision <= revision ? [found] : [];
    },
    { concurrency: parallel },
  );
  // on a head that others have finished the next commit may have read annotations that were given back since
  const head = (await ports.documents.read('heads', project, 'head'))?.document;
  if (head?.unfinished && head.head?.version === version) await removeStaged(ports, project, staged.flat());
}

/** Marks samples of one partition; returns those whose annotation is the committed one. */
async function markPartition(
  ports: MarkPorts,
  pk: string,
  { number, kind }: { number: number; kind: TaskKind },
  group: Marked[],
): Promise<SampleDocument[]> {
  const found = await pMap(group, ({ record }) => ports.documents.read('samples', pk, record.md5), { concurrency: 4 });
  const pairs = found.flatMap((stored, i) => {
    const marked = group[i];
    return stored === undefined || marked === undefined ? [] : [{ ...marked, stored }];
  });
  const unmarked = pairs.filter(({ stored }) => stored.document.key === null);
  const operations = unmarked.map(({ key, stored }) => ({
    kind: 'replace' as const,
    document: { ...stored.document, key, firstVersion: number },
    etag: stored.etag,
  }));
  for (let at = 0; at < operations.length; at += 100) {
    if ((await ports.documents.batch('samples', pk, operations.slice(at, at + 100))) === 'done') continue;
    // one of them was relabelled or marked meanwhile: take them one by one
    await pMap(
      unmarked.slice(at, at + 100),
      ({ key, record }) =>
        update(ports.documents, 'samples', pk, record.md5, (sample) =>
          sample === undefined || sample.key !== null ? 'keep' : { ...sample, key, firstVersion: number },
        ),
      { concurrency: 4 },
    );
  }
  return pairs
    .filter(
      ({ record, stored: { document } }) =>
        isSame(kind, document.annotation, record.annotation) && document.source === record.source,
    )
    .map(({ stored }) => stored.document);
}

async function removeStaged(ports: MarkPorts, project: string, staged: Stored<StagedDocument>[]): Promise<void> {
  for (let at = 0; at < staged.length; at += 100) {
    const part = staged.slice(at, at + 100);
    const operations = part.map(({ document, etag }) => ({ kind: 'remove' as const, id: document.id, etag }));
    if ((await ports.documents.batch('staged', project, operations)) === 'done') continue;
    // somebody staged a newer annotation or removed one of them: take them one by one
    await pMap(part, ({ document, etag }) => ports.documents.remove('staged', project, document.id, etag), {
      concurrency: parallel,
    });
  }
}

/** Unstages samples that the head holds already with the very annotation they have now. */
export async function unstage(
  ports: MarkPorts,
  project: string,
  staged: Stored<StagedDocument>[],
  samples: SampleDocument[],
): Promise<void> {
  const byId = new Map(samples.map((s) => [s.id, s]));
  const done = staged.filter(({ document }) => {
    const sample = byId.get(document.id);
    return sample === undefined || sample.annotation === null || document.revision <= sample.revision;
  });
  await removeStaged(ports, project, done);
}
