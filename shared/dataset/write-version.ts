/** Writing the nodes of a version. */
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { SampleDocument } from '../sample/document.ts';
import type { HeadDocument, VersionSummary } from './document.ts';
import { applyEdits, type Edit } from './edit.ts';
import { type SampleRecord, sampleKey } from './record.ts';
import { treeStore } from './store.ts';
import { versionId } from './version-id.ts';

/** Writes the nodes of the next version; undefined when the staged samples change nothing. */
export async function writeVersion(
  ports: Pick<Ports, 'blobs' | 'clock' | 'tree'>,
  project: ProjectDocument,
  head: HeadDocument,
  samples: SampleDocument[],
): Promise<VersionSummary | undefined> {
  const number = (head.head?.number ?? 0) + 1;
  const edits: Edit[] = samples.flatMap((sample) => {
    const record = toRecord(sample);
    return record === null && sample.key === null ? [] : [{ key: sample.key ?? sampleKey(number, sample.id), record }];
  });
  if (edits.length === 0) return undefined;
  const store = treeStore(ports.blobs, project.id);
  const before = head.head?.root ?? null;
  const applied = await applyEdits(store, before, edits, { task: project.settings.task, parameters: ports.tree });
  if (applied.root === null || applied.root === before) return undefined;
  const parent = head.head?.version ?? null;
  const added = samples.filter((s) => s.key === null && s.annotation !== null).length;
  return {
    task: project.settings.task,
    version: versionId({ root: applied.root, parent, number }),
    number,
    root: applied.root,
    parent,
    samples: applied.totals.count,
    byClass: applied.totals.byClass,
    bySplit: applied.totals.bySplit,
    changes: {
      added,
      removed: (head.head?.samples ?? 0) + added - applied.totals.count,
      relabelled: edits.length - added,
    },
    bytesWritten: applied.bytesWritten,
    nodesWritten: applied.nodesWritten,
    createdAt: ports.clock.now().toISOString(),
  };
}

/** What a version says of a sample; null: nothing, since it has no annotation. */
function toRecord(sample: SampleDocument): SampleRecord | null {
  const { id: md5, sha256, sizeBytes, mediaType, width, height, channels, annotation, source, split } = sample;
  if (annotation === null || source === null) return null;
  return { md5, sha256, sizeBytes, mediaType, width, height, channels, annotation, source, split };
}
