/** Keys of samples: where in the version tree each is, and which version was the first that holds it. */
import pMap from 'p-map';
import type { Ports, Stored } from '../ports.ts';
import type { SampleDocument, StagedDocument } from '../sample/document.ts';
import { samplePartition } from '../sample/partition.ts';
import { isSame, type TaskKind, taskOf } from '../task/task.ts';
import { update } from '../update.ts';
import type { VersionSummary } from './document.ts';
import type { Staged } from './list-staged.ts';
import type { SampleRecord } from './record.ts';
import { removeStaged } from './unstage.ts';

type KeyPorts = Pick<Ports, 'documents'>;

/** what one batch may hold */
const perBatch = 100;
const parallel = 16;
/** reads of one partition at once, beside others */
const parallelInPartition = 4;

/** An entry of a version that the one before has not, or not so. */
export interface Committed {
  key: string;
  record: SampleRecord;
}

/** A sample and its staging. `staged` undefined: to be read. */
interface Keyed {
  sample: SampleDocument;
  staged?: Stored<StagedDocument>;
}

/**
 * Writes key and first version of a version that is the head into its samples, and unstages those whose annotation, and
 * where it came from, are the committed ones, while nobody builds on that version. `known`: what its committer has read, by
 * id; the write of a key finds out whether that still holds. Safe to repeat.
 */
export async function assignKeys(
  ports: KeyPorts,
  project: string,
  { number, version, task }: VersionSummary,
  part: readonly Committed[],
  known: ReadonlyMap<string, Staged>,
): Promise<void> {
  const partitions = Map.groupBy(part, ({ record }) => samplePartition(project, record.md5));
  const kind = taskOf({ task });
  const keyed = await pMap(
    [...partitions],
    ([pk, group]) => assignInPartition(ports, { pk, number, kind }, group, known),
    { concurrency: parallel },
  );
  const staged = await pMap(
    keyed.flat(),
    async ({ sample, staged }) => {
      const found = staged ?? (await ports.documents.read('staged', project, sample.id));
      return found !== undefined && found.document.revision <= sample.revision ? [found] : [];
    },
    { concurrency: parallel },
  );
  // on a head that others have finished the next commit may have read annotations that were given back since
  const head = (await ports.documents.read('heads', project, 'head'))?.document;
  if (head?.unfinished && head.head?.version === version) await removeStaged(ports, project, staged.flat());
}

/** Assigns keys in one partition; returns the samples whose annotation is the committed one. */
async function assignInPartition(
  { documents }: KeyPorts,
  { pk, number, kind }: { pk: string; number: number; kind: TaskKind },
  group: readonly Committed[],
  known: ReadonlyMap<string, Staged>,
): Promise<Keyed[]> {
  // of a sample that has its key already nothing is written that would tell whether it is still as it was
  const isKnown = ({ record }: Committed): boolean => known.get(record.md5)?.sample?.document.key === null;
  const fresh = group.filter(isKnown);
  const assigned: Keyed[] = [];
  const others = group.filter((one) => !isKnown(one));
  for (let at = 0; at < fresh.length; at += perBatch) {
    const some = fresh.slice(at, at + perBatch);
    const keyed = some.flatMap(({ key, record }) => {
      const { sample, staged } = known.get(record.md5) ?? {};
      return sample === undefined || staged === undefined ? [] : [{ key, sample, staged }];
    });
    const operations = keyed.map(({ key, sample: { document, etag } }) => ({
      kind: 'replace' as const,
      document: { ...document, key, firstVersion: number },
      etag,
    }));
    const done = (await documents.batch('samples', pk, operations)) === 'done';
    if (done) assigned.push(...keyed.map(({ sample, staged }) => ({ sample: sample.document, staged })));
    // one of them was annotated anew, or has its key from another committer: they are taken one by one
    else others.push(...some);
  }
  const read = await pMap(others, (one) => assignOne({ documents }, { pk, number, kind }, one), {
    concurrency: parallelInPartition,
  });
  return [...assigned, ...read.flat()];
}

async function assignOne(
  { documents }: KeyPorts,
  { pk, number, kind }: { pk: string; number: number; kind: TaskKind },
  { key, record }: Committed,
): Promise<Keyed[]> {
  const { stored } = await update(documents, 'samples', pk, record.md5, (sample) =>
    sample === undefined || sample.key !== null ? 'keep' : { ...sample, key, firstVersion: number },
  );
  const sample = stored?.document;
  const isCommitted =
    sample !== undefined && isSame(kind, sample.annotation, record.annotation) && sample.source === record.source;
  return isCommitted ? [{ sample }] : [];
}
