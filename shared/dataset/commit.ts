/**
 * Group commit, second half. Correctness comes from one compare-and-swap of the head alone; everything after it is
 * finishing (version document, marking samples, unstaging) that any later committer repeats when this one dies.
 */
import type * as z from 'zod';
import type {
  EventDocument,
  HeadDocument,
  Outgoing,
  ProjectDocument,
  SampleDocument,
  StagedDocument,
  VersionSummary,
} from '../documents.ts';
import { RetryLater } from '../errors.ts';
import { type Cause, compose, type versionCommitted } from '../message.ts';
import { inBatches } from '../parallel.ts';
import { digestOf } from '../names.ts';
import { outboxOf, sendOutbox, update } from '../outbox.ts';
import type { Ports, Stored } from '../ports.ts';
import { samplePartition } from '../upload.ts';
import { diff } from './diff.ts';
import { applyEdits, type Edit } from './edit.ts';
import { type SampleRecord, sampleKey } from './record.ts';
import { readHead } from './stage.ts';
import { treeStore } from './store.ts';
import { versionId } from './version.ts';

type CommitPorts = Pick<Ports, 'clock' | 'documents' | 'blobs' | 'messages'>;
type VersionCommitted = z.infer<typeof versionCommitted>;

const maxTries = 8;
const parallel = 16;
const markedAtOnce = 2000;

export interface CommitResult {
  version: VersionSummary | null;
  /** more was staged than one commit takes */
  more: boolean;
}

/** Commits everything that is staged, at most `maxItems` samples, as one new version; nothing staged makes none. */
export async function commit(ports: CommitPorts, project: ProjectDocument, cause: Cause): Promise<CommitResult> {
  for (let tries = 0; tries < maxTries; tries++) {
    const head = await finish(ports, await readHead(ports.documents, project.id));
    const { staged, more } = await listStaged(ports, project);
    if (staged.length === 0) return { version: null, more: false };
    const samples = await readSamples(ports, project.id, staged);
    const summary = await write(ports, project, head.document, samples);
    if (summary === undefined) {
      // nothing differs from the head: these were committed before a crash and only need unstaging
      await unstage(ports, project.id, staged, samples);
      return { version: null, more };
    }
    const next: HeadDocument = {
      ...head.document,
      head: summary,
      unfinished: true,
      outbox: [...outboxOf(head.document), ...announcement(project.id, summary, cause)],
    };
    const saved = await ports.documents.replace('heads', next, head.etag);
    if (saved === 'changed') continue;
    await finish(ports, saved);
    return { version: summary, more };
  }
  throw new RetryLater(`the head of ${project.id} moved ${maxTries} times during one commit`);
}

/** Closes the window: whoever stages from now on opens the next one. */
export async function advanceGeneration(ports: CommitPorts, project: string, generation: number): Promise<void> {
  await readHead(ports.documents, project);
  await update(ports.documents, 'heads', project, 'head', (head) =>
    head === undefined || head.generation > generation ? 'keep' : { ...head, generation: generation + 1 },
  );
}

async function listStaged(
  ports: CommitPorts,
  project: ProjectDocument,
): Promise<{ staged: Stored<StagedDocument>[]; more: boolean }> {
  const { maxItems } = project.settings.commit;
  const staged: Stored<StagedDocument>[] = [];
  let continuation: string | undefined;
  do {
    const page = await ports.documents.query('staged', {
      pk: project.id,
      limit: 1000,
      ...(continuation === undefined ? {} : { continuation }),
    });
    staged.push(...page.items);
    continuation = page.continuation;
  } while (continuation !== undefined && staged.length < maxItems);
  return { staged: staged.slice(0, maxItems), more: staged.length > maxItems || continuation !== undefined };
}

async function readSamples(
  ports: CommitPorts,
  project: string,
  staged: Stored<StagedDocument>[],
): Promise<SampleDocument[]> {
  const found = await inBatches(staged, parallel, ({ document }) =>
    ports.documents.read('samples', samplePartition(project, document.id), document.id),
  );
  return found.flatMap((s) => (s === undefined ? [] : [s.document]));
}

function toRecord(sample: SampleDocument): SampleRecord | null {
  const { id: md5, sha256, sizeBytes, mediaType, width, height, channels, label, labelSource, split } = sample;
  if (label === null || labelSource === null) return null;
  return { md5, sha256, sizeBytes, mediaType, width, height, channels, label, labelSource, split };
}

/** Writes the nodes of the next version; undefined when the staged samples change nothing. */
async function write(
  ports: CommitPorts,
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
  const applied = await applyEdits(store, before, edits);
  if (applied.root === null || applied.root === before) return undefined;
  const parent = head.head?.version ?? null;
  const added = samples.filter((s) => s.key === null && s.label !== null).length;
  return {
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

function announcement(project: string, summary: VersionSummary, cause: Cause): Outgoing[] {
  const { version, number } = summary;
  const message = compose<VersionCommitted>(
    'darkroom.version.committed',
    `${project}/${version}`,
    { project, version, number },
    cause,
  );
  const event: EventDocument = {
    id: `e${digestOf(31, project, 'version', version)}`,
    pk: project,
    type: 'version.committed',
    subject: `versions/${number}`,
    text: `Version ${number}: ${summary.samples} samples (${summary.changes.added} added, ${summary.changes.relabelled} relabelled, ${summary.changes.removed} removed).`,
    at: summary.createdAt,
    cause: cause.id,
    by: null,
  };
  return [
    { to: 'queue', queue: 'training-requests', message },
    { to: 'feed', event },
  ];
}

/**
 * Completes a head that was swapped: version document, messages, marks on its samples, unstaging. The messages go
 * first, since training needs no marks; a crash before the flag is cleared repeats all of it.
 */
async function finish(ports: CommitPorts, head: Stored<HeadDocument>): Promise<Stored<HeadDocument>> {
  const { document } = head;
  const summary = document.head;
  if (summary === null || !document.unfinished) return head;
  const project = document.pk;
  await ports.documents.create('versions', { id: summary.version, pk: project, ...summary });
  await sendOutbox(ports, 'heads', head);
  const parent = summary.parent === null ? undefined : await ports.documents.read('versions', project, summary.parent);
  const before = parent?.document.root ?? null;
  let part: Marked[] = [];
  for await (const change of diff(treeStore(ports.blobs, project), before, summary.root)) {
    if (change.after === undefined) continue;
    part.push({ key: change.key, record: change.after });
    if (part.length < markedAtOnce) continue;
    await mark(ports, project, summary.number, part);
    part = [];
  }
  await mark(ports, project, summary.number, part);
  const cleared = await update(ports.documents, 'heads', project, 'head', (current) =>
    current?.head?.version !== summary.version || !current.unfinished ? 'keep' : { ...current, unfinished: false },
  );
  if (cleared.stored === undefined) throw new RetryLater(`the head of ${project} vanished`);
  return cleared.stored;
}

interface Marked {
  key: string;
  record: SampleRecord;
}

/** Writes key and first version into the samples, and unstages those whose label is the committed one. */
async function mark(ports: CommitPorts, project: string, number: number, part: Marked[]): Promise<void> {
  const partitions = new Map<string, Marked[]>();
  for (const marked of part) {
    const pk = samplePartition(project, marked.record.md5);
    partitions.set(pk, [...(partitions.get(pk) ?? []), marked]);
  }
  const settled = await inBatches([...partitions], parallel, ([pk, group]) => markPartition(ports, pk, number, group));
  const staged = await inBatches(settled.flat(), parallel, async ({ id, labelRevision }) => {
    const found = await ports.documents.read('staged', project, id);
    return found?.document.labelRevision === labelRevision ? [found] : [];
  });
  await removeStaged(ports, project, staged.flat());
}

/** Marks samples of one partition; returns those whose label is the committed one. */
async function markPartition(
  ports: CommitPorts,
  pk: string,
  number: number,
  group: Marked[],
): Promise<SampleDocument[]> {
  const found = await inBatches(group, 4, ({ record }) => ports.documents.read('samples', pk, record.md5));
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
    await inBatches(unmarked.slice(at, at + 100), 4, ({ key, record }) =>
      update(ports.documents, 'samples', pk, record.md5, (sample) =>
        sample === undefined || sample.key !== null ? 'keep' : { ...sample, key, firstVersion: number },
      ),
    );
  }
  return pairs
    .filter(({ record, stored }) => stored.document.label === record.label)
    .map(({ stored }) => stored.document);
}

async function removeStaged(ports: CommitPorts, project: string, staged: Stored<StagedDocument>[]): Promise<void> {
  for (let at = 0; at < staged.length; at += 100) {
    const part = staged.slice(at, at + 100);
    const operations = part.map(({ document, etag }) => ({ kind: 'remove' as const, id: document.id, etag }));
    if ((await ports.documents.batch('staged', project, operations)) === 'done') continue;
    // somebody staged a newer label or removed one of them: take them one by one
    await inBatches(part, parallel, ({ document, etag }) =>
      ports.documents.remove('staged', project, document.id, etag),
    );
  }
}

/** Unstages samples that the head holds already with the very label they have now. */
async function unstage(
  ports: CommitPorts,
  project: string,
  staged: Stored<StagedDocument>[],
  samples: SampleDocument[],
): Promise<void> {
  const byId = new Map(samples.map((s) => [s.id, s]));
  const done = staged.filter(({ document }) => {
    const sample = byId.get(document.id);
    return sample === undefined || sample.label === null || sample.labelRevision === document.labelRevision;
  });
  await removeStaged(ports, project, done);
}
