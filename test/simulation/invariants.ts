/** I1 to I3 of a platform at rest: uploads, samples and versions, read from the stores themselves. */
import { createHash } from 'node:crypto';
import { applyEdits } from '../../shared/dataset/edit.ts';
import type { SampleRecord } from '../../shared/dataset/record.ts';
import { storedName } from '../../shared/sample/content.ts';
import { treeStore } from '../../shared/dataset/store.ts';
import type { NodeStore, TreeParameters } from '../../shared/dataset/tree.ts';
import { versionId } from '../../shared/dataset/version-id.ts';
import { entries } from '../../shared/dataset/entries.ts';
import type { SampleDocument } from '../../shared/sample/document.ts';
import type { UploadDocument } from '../../shared/upload/document.ts';
import type { VersionDocument } from '../../shared/dataset/document.ts';
import { unassignedProject } from '../../shared/names.ts';
import type { Blobs } from '../../shared/ports.ts';
import { samplePartition } from '../../shared/sample/partition.ts';
import { uploadId } from '../../shared/upload/name.ts';
import { shownBy } from './pictures.ts';
import type { Ledger } from './ledger.ts';
import type { World } from './world.ts';

type Say = (problem: string) => void;

const digest = (kind: 'md5' | 'sha256', bytes: Buffer): string => createHash(kind).update(bytes).digest('hex');

/** Reads trees past the scheduler. */
function plainStore({ blobs }: World, project: string): NodeStore {
  const get: Blobs['get'] = (container, name) => Promise.resolve(blobs.peek(container, name));
  return treeStore({ get } as Blobs, project);
}

/** Keeps nothing: for the root that a set of records must have. */
const nowhere: NodeStore = {
  get: () => Promise.reject(new Error('nothing is kept here')),
  put: () => Promise.resolve(),
};

/** I1: every finished write has one outcome, the right one. */
export function checkUploads({ documents, blobs }: World, ledger: Ledger, say: Say): void {
  const byId = new Map<string, UploadDocument[]>();
  for (const document of documents.all('uploads')) byId.set(document.id, [...(byId.get(document.id) ?? []), document]);
  const known = new Set(documents.all('projects').map(({ id }) => id));
  for (const { blob, etag, upload } of ledger.uploads) {
    const [one, ...more] = byId.get(uploadId(blob, etag)) ?? [];
    if (one === undefined) {
      say(`I1: the upload of ${blob} (${etag}) has no outcome`);
      continue;
    }
    if (more.length > 0) say(`I1: the upload of ${blob} (${etag}) has ${1 + more.length} outcomes`);
    const gone = blobs.peek('uploads', blob)?.etag !== etag;
    const good = upload.body.toString().startsWith('{') && blob.split('/').length <= 3 && known.has(one.project);
    const right = good ? ['accepted', 'duplicate', 'conflict', 'unlabelled'] : ['quarantined'];
    // a project may be made after its first upload was refused
    if (one.project === unassignedProject) right.push('quarantined');
    if (gone) right.push('superseded');
    if (!right.includes(one.status)) say(`I1: the upload of ${blob} (${etag}) ended as ${one.status}`);
    const { project, sample } = one;
    const made = sample === null ? undefined : documents.find('samples', samplePartition(project, sample), sample);
    if (sample !== null && made?.pixelDigest !== shownBy(upload.body))
      say(`I1: the upload of ${blob} (${etag}) ended as sample ${sample}, which is none or shows something else`);
  }
}

/** I1: each sample has one upload that made it, and what is labelled is in the head exactly as it is labelled. */
export async function checkSamples(world: World, project: string, say: Say): Promise<void> {
  const { documents, blobs } = world;
  const makers = new Map<string, UploadDocument[]>();
  for (const document of documents.all('uploads'))
    if (document.project === project && (document.status === 'accepted' || document.status === 'unlabelled'))
      makers.set(document.sample ?? '', [...(makers.get(document.sample ?? '') ?? []), document]);
  const samples = documents.all('samples').filter((one) => one.project === project);
  const head = documents.find('heads', project, 'head')?.head ?? null;
  const inHead = new Map<string, { key: string; record: SampleRecord }>();
  for await (const entry of entries(plainStore(world, project), head?.root ?? null)) {
    if (inHead.has(entry.record.md5)) say(`I2: sample ${entry.record.md5} is in the head twice`);
    inHead.set(entry.record.md5, entry);
  }
  for (const one of samples) {
    const [maker, ...others] = makers.get(one.id) ?? [];
    if (maker?.id !== one.origin || others.length > 0)
      say(
        `I1: sample ${one.id} of upload ${one.origin} is said to be made by ${[maker, ...others].map((m) => m?.id).join(', ')}`,
      );
    const bytes = blobs.peek('datasets', storedName(project, one.id))?.body;
    if (bytes === undefined || digest('md5', bytes) !== one.id || digest('sha256', bytes) !== one.sha256)
      say(`I2: the bytes of sample ${one.id} are missing or others`);
    inTheHead(one, inHead.get(one.id), say);
    inHead.delete(one.id);
  }
  for (const id of inHead.keys()) say(`I2: the head holds sample ${id}, which is none`);
  checkPixels(world, project, samples, say);
  const waiting = documents.all('staged').filter(({ pk }) => pk === project);
  if (waiting.length > 0) say(`I1: ${waiting.length} samples of ${project} stay staged, ${waiting[0]?.id} first`);
}

/** I1: of files with the same pixels one is a sample, so that no picture is in two splits; whatever is claimed is a sample. */
function checkPixels({ documents }: World, project: string, samples: SampleDocument[], say: Say): void {
  const shown = new Map<string, SampleDocument>();
  for (const one of samples) {
    const other = shown.get(one.pixelDigest ?? '');
    if (other !== undefined)
      say(`I1: samples ${other.id} (${other.split}) and ${one.id} (${one.split}) show the same pixels`);
    shown.set(one.pixelDigest ?? '', one);
  }
  for (const { id, sample } of documents.all('pixels').filter((one) => one.sample.project === project))
    if (shown.get(id)?.id !== sample.id)
      say(`I1: the pixels ${id} are said to be shown by ${sample.id}, which is none`);
}

function inTheHead(one: SampleDocument, entry: { key: string; record: SampleRecord } | undefined, say: Say): void {
  if (one.annotation === null) {
    if (entry !== undefined) say(`I1: sample ${one.id} has no label and is in the head`);
    return;
  }
  if (entry === undefined) return say(`I1: sample ${one.id} is labelled and in no version`);
  if (entry.key !== one.key) say(`I2: sample ${one.id} says its key is ${one.key}, it is ${entry.key}`);
  const [shown, held] = [JSON.stringify(one.annotation), JSON.stringify(entry.record.annotation)];
  if (shown !== held) say(`I3: sample ${one.id} shows ${shown}, the head says ${held}`);
  for (const field of ['source', 'split', 'sha256', 'sizeBytes', 'width', 'height', 'channels'] as const)
    if (entry.record[field] !== one[field])
      say(`I3: the ${field} of sample ${one.id} is ${one[field]}, the head says ${entry.record[field]}`);
}

/** I2 and I3: the history is linear, ids follow from contents, and roots from the set of records alone. */
export async function checkVersions(world: World, project: string, tree: TreeParameters, say: Say): Promise<void> {
  const { documents, blobs } = world;
  const head = documents.find('heads', project, 'head');
  const task = documents.find('projects', 'projects', project)?.settings.task ?? '';
  const versions = new Map(
    documents
      .all('versions')
      .filter(({ pk }) => pk === project)
      .map((one) => [one.id, one]),
  );
  if (head?.unfinished) say(`I3: the head of ${project} stays unfinished`);
  if (versions.size !== (head?.head?.number ?? 0))
    say(`I3: project ${project} keeps ${versions.size} versions, its head is number ${head?.head?.number ?? 0}`);
  const splits = new Map<string, string>();
  let next = head?.head?.version ?? null;
  for (let number = head?.head?.number ?? 0; next !== null; number--) {
    const version: VersionDocument | undefined = versions.get(next);
    if (version?.number !== number) return say(`I3: version ${number} of ${project} is not where its successor says`);
    const { root, parent } = version;
    if (versionId({ root, parent, number }) !== version.id)
      say(`I2: the id of version ${number} is not that of its contents`);
    const records: { key: string; record: SampleRecord }[] = [];
    try {
      for await (const entry of entries(plainStore(world, project), root)) records.push(entry);
    } catch (error) {
      return say(`I2: version ${number} cannot be read: ${String(error)}`);
    }
    const rebuilt = await applyEdits(nowhere, null, records, { task, parameters: tree });
    if (rebuilt.root !== root) say(`I2: version ${number} has a root that its records do not give`);
    if (rebuilt.totals.count !== version.samples) say(`I2: version ${number} says ${version.samples} samples`);
    for (const { record } of records) {
      if (blobs.peek('datasets', storedName(project, record.md5)) === undefined)
        say(`I2: version ${number} refers to the missing sample ${record.md5}`);
      const split = splits.get(record.md5) ?? record.split;
      if (split !== record.split)
        say(`I2: sample ${record.md5} is ${record.split} in version ${number}, later ${split}`);
      splits.set(record.md5, split);
    }
    next = parent;
  }
}
