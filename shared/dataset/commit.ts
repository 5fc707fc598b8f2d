/**
 * Group commit, second half. Correctness comes from one compare-and-swap of the head alone; everything after it is
 * finishing (version document, marking samples, unstaging) that any later committer repeats when this one dies.
 */
import pMap from 'p-map';
import type * as z from 'zod';
import type { EventDocument } from '../event/document.ts';
import type { HeadDocument, VersionSummary } from './document.ts';
import type { Outgoing } from '../delivery/document.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { SampleDocument, StagedDocument } from '../sample/document.ts';
import { RetryLater } from '../errors.ts';
import type { Cause, versionCommitted } from '../delivery/message.ts';
import { compose } from '../delivery/compose.ts';
import { listAll } from '../list-all.ts';
import { digestOf } from '../digest.ts';
import { outboxOf, sendOutbox } from '../delivery/send-outbox.ts';
import { update } from '../update.ts';
import type { Ports, Stored } from '../ports.ts';
import { samplePartition } from '../sample/partition.ts';
import { diff } from './diff.ts';
import { applyEdits, type Edit } from './edit.ts';
import { mark, type Marked, unstage } from './mark.ts';
import { describeLookAlikes, lookAlikes } from '../sample/look-alikes.ts';
import { type SampleRecord, sampleKey } from './record.ts';
import { openWindow, readHead, windowId } from './stage.ts';
import { treeStore } from './store.ts';
import { versionId } from './version-id.ts';

type CommitPorts = Pick<Ports, 'clock' | 'documents' | 'blobs' | 'messages' | 'tree'>;
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
    // while we finished one version another committer made the next: nothing may be built on it before it is finished
    if (head.document.unfinished) continue;
    const { staged, more } = await listStaged(ports, project);
    if (staged.length === 0) return { version: null, more: false };
    const samples = await readSamples(ports, project.id, staged);
    const summary = await write(ports, project, head.document, samples);
    if (summary === undefined) {
      // nothing differs from the head: these were committed before a crash, or were given back the annotation that they had
      if ((await updateHead(ports, head, (current) => ({ ...current, fence: (current.fence ?? 0) + 1 }))) === undefined)
        continue;
      await unstage(ports, project.id, staged, samples);
      return { version: null, more };
    }
    const saved = await updateHead(ports, head, (current) => ({
      ...current,
      head: summary,
      unfinished: true,
      outbox: [...outboxOf(current), ...announcement(project.id, summary, warningOf(current.head, summary), cause)],
    }));
    if (saved === undefined) continue;
    await finish(ports, saved);
    // what was staged again without a change is in no difference between the two versions
    const known = new Set(samples.flatMap((s) => (s.key === null ? [] : [s.id])));
    const again = staged.filter(({ document }) => known.has(document.id));
    await unstage(ports, project.id, again, samples);
    return { version: summary, more };
  }
  throw new RetryLater(`the head of ${project.id} moved ${maxTries} times during one commit`);
}

/**
 * Changes the head that a commit was built on; undefined when another commit came first. That a window was closed
 * meanwhile does not matter: under load one closes in less time than a large commit takes.
 */
async function updateHead(
  ports: CommitPorts,
  base: Stored<HeadDocument>,
  change: (current: HeadDocument) => HeadDocument,
): Promise<Stored<HeadDocument> | undefined> {
  const { pk: project, head, fence } = base.document;
  const { stored, changed } = await update(
    ports.documents,
    'heads',
    project,
    'head',
    (current) => {
      const isBase = current?.head?.version === head?.version && current?.fence === fence;
      return current === undefined || current.unfinished || !isBase ? 'keep' : change(current);
    },
    base,
  );
  return changed ? stored : undefined;
}

/**
 * Commits what is staged and closes the window of `generation`. The generation is advanced before the staged samples
 * are listed, also when there seem to be none: whoever stages from then on opens the next window.
 */
export async function commitWindow(
  ports: CommitPorts,
  project: ProjectDocument,
  generation: number,
  cause: Cause,
): Promise<CommitResult> {
  const { documents } = ports;
  await readHead(documents, project.id);
  await update(documents, 'heads', project.id, 'head', (head) =>
    head === undefined || head.generation > generation ? 'keep' : { ...head, generation: generation + 1 },
  );
  const result = await commit(ports, project, cause);
  if (result.more) {
    const { document: head } = await readHead(documents, project.id);
    await openWindow(ports, project.id, head.generation, project.settings, cause);
  }
  // a look that was planned and not sent would only find it closed
  await update(documents, 'windows', project.id, windowId(generation), (window) =>
    window === undefined || window.closed ? 'keep' : { ...window, closed: true, outbox: [] },
  );
  return result;
}

async function listStaged(
  ports: CommitPorts,
  project: ProjectDocument,
): Promise<{ staged: Stored<StagedDocument>[]; more: boolean }> {
  const { maxItems } = project.settings.commit;
  const staged: Stored<StagedDocument>[] = [];
  const query = { pk: project.id, limit: 1000 };
  for await (const one of listAll(ports.documents, 'staged', query, maxItems + 1)) staged.push(one);
  return { staged: staged.slice(0, maxItems), more: staged.length > maxItems };
}

async function readSamples(
  ports: CommitPorts,
  project: string,
  staged: Stored<StagedDocument>[],
): Promise<SampleDocument[]> {
  const found = await pMap(
    staged,
    ({ document }) => ports.documents.read('samples', samplePartition(project, document.id), document.id),
    { concurrency: parallel },
  );
  return found.flatMap((s) => (s === undefined ? [] : [s.document]));
}

function toRecord(sample: SampleDocument): SampleRecord | null {
  const { id: md5, sha256, sizeBytes, mediaType, width, height, channels, annotation, source, split } = sample;
  if (annotation === null || source === null) return null;
  return { md5, sha256, sizeBytes, mediaType, width, height, channels, annotation, source, split };
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

/** A warning of classes that came with this version and look like others. */
function warningOf(before: VersionSummary | null, { byClass }: VersionSummary): string {
  const known = new Set(Object.keys(before?.byClass ?? {}));
  const group = lookAlikes(Object.keys(byClass)).find((names) => names.some((name) => !known.has(name)));
  return group === undefined ? '' : ` ${describeLookAlikes(group)}`;
}

function announcement(project: string, summary: VersionSummary, warning: string, cause: Cause): Outgoing[] {
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
    text: `Version ${number}: ${summary.samples} samples (${summary.changes.added} added, ${summary.changes.relabelled} relabelled, ${summary.changes.removed} removed).${warning}`,
    at: summary.createdAt,
    cause: cause.id,
    by: null,
  };
  return [
    { to: 'queue', queue: 'trainings', message },
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
  if (summary === null || !document.unfinished) return tell(ports, head);
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
    await mark(ports, project, summary, part);
    part = [];
  }
  await mark(ports, project, summary, part);
  const cleared = await update(ports.documents, 'heads', project, 'head', (current) =>
    current?.head?.version !== summary.version || !current.unfinished ? 'keep' : { ...current, unfinished: false },
  );
  if (cleared.stored === undefined) throw new RetryLater(`the head of ${project} vanished`);
  return tell(ports, cleared.stored);
}

/**
 * Sends what a head still has to say: whoever closed a window between the sending and the clearing of its messages has
 * kept them.
 */
async function tell(ports: CommitPorts, head: Stored<HeadDocument>): Promise<Stored<HeadDocument>> {
  if (outboxOf(head.document).length === 0) return head;
  await sendOutbox(ports, 'heads', head);
  return readHead(ports.documents, head.document.pk);
}
