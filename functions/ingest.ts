/** `blob-created` -> exactly one outcome per upload. Nothing is deleted; bad input is recorded at its first delivery. */
import { createHash } from 'node:crypto';
import { lookAlikes } from '../shared/dataset/look-alikes.ts';
import { splitOf } from '../shared/dataset/split.ts';
import { stageSample } from '../shared/dataset/stage.ts';
import { storedName } from '../shared/dataset/store.ts';
import type { ProjectDocument, SampleDocument, UploadDocument } from '../shared/documents.ts';
import { RetryLater, TerminalError } from '../shared/errors.ts';
import type { AcceptedImage, ImageVerdict } from '../shared/image/decode.ts';
import type { BlobCreatedEvent } from '../shared/message.ts';
import { isAddressable, unassignedProject } from '../shared/names.ts';
import { update } from '../shared/outbox.ts';
import type { BlobContent, Ports, Stored } from '../shared/ports.ts';
import { blobOf, labelFromMetadata, readUploadName, samplePartition, uploadId } from '../shared/upload.ts';
import { type Arrival, type Finding, finishUpload, recordUpload } from '../shared/upload-record.ts';

export interface IngestPorts extends Ports {
  inspect: (bytes: Buffer, declaredType: string | undefined) => Promise<ImageVerdict>;
}

/** More is refused unread: a 20-megapixel PNG of noise stays below. */
const maxUploadBytes = 64 * 1024 * 1024;
const maxConflicts = 20;

/** Handles one BlobCreated event of the uploads container. */
export async function ingest(
  ports: IngestPorts,
  event: BlobCreatedEvent,
): Promise<{ project: string; outcome: string; upload: string }> {
  const blob = blobOf(event.subject);
  if (blob === undefined || blob.container !== 'uploads') {
    throw new TerminalError('unexpected-subject', `the event names no upload: ${event.subject.slice(0, 200)}`);
  }
  const etag = event.data.eTag.replace(/^"|"$/g, '');
  const { blobType } = event.data;
  const name = readUploadName(blob.name);
  const written = { blob: blob.name, etag, traceparent: event.traceparent };
  const found =
    name.project === unassignedProject ? undefined : await ports.documents.read('projects', 'projects', name.project);
  const known = found?.document;
  const arrival = { project: known?.id ?? unassignedProject, ...written };

  if (known === undefined || name.problem !== null) {
    const recorded = await recordUpload(ports, arrival, null);
    const { id, project } = recorded.document;
    if (name.problem === null && project !== unassignedProject)
      throw new RetryLater(`project ${project} was made while upload ${id} was read`);
    const read = isWrittenOnce(blobType) ? undefined : 'unread';
    return conclude(ports, recorded, () => quarantine(ports, arrival, name.problem ?? unknownProject(blob.name), read));
  }
  // the bytes are kept before the upload is recorded: a delivery that finds the original gone goes on with them
  const image = isWrittenOnce(blobType) ? await look(ports, known, arrival, name.label) : unfinished(blobType);
  const kept = 'problem' in image ? null : { sample: image.md5, ...image.seen };
  const recorded = await recordUpload(ports, arrival, kept);
  const upload = recorded.document;
  return conclude(ports, recorded, async () => {
    if (isUnassigned(upload)) return quarantine(ports, arrival, unknownProject(blob.name));
    if (!('problem' in image)) return settle(ports, known, upload, image, event);
    if (image.problem !== 'gone') return quarantine(ports, arrival, image.problem, image.body);
    if (upload.sample === null) return { outcome: 'superseded', reason: null, sample: null, label: null };
    return settle(ports, known, upload, await recall(ports, known, upload, upload.sample), event);
  });
}

/** Finds the outcome of an upload that has none yet. */
async function conclude(
  ports: IngestPorts,
  recorded: Stored<UploadDocument>,
  find: () => Promise<Finding>,
): Promise<{ project: string; outcome: string; upload: string }> {
  const { project, id, status } = recorded.document;
  const outcome = status === 'received' ? await finishUpload(ports, recorded, await find()) : status;
  return { project, outcome, upload: id };
}

/** An earlier delivery found no such project; what it said stands, though the project was made meanwhile. */
const isUnassigned = ({ project }: UploadDocument): boolean => project === unassignedProject;

const unknownProject = (blob: string) => ({
  code: 'unknown-project',
  detail: `No project is called ${JSON.stringify(blob.split('/')[0]?.slice(0, 60))}. Create it, then upload again as {project}/{label}/{file}.`,
});

/** An append or page blob is there before its contents are, and no event tells when they are complete. */
const isWrittenOnce = (blobType = 'BlockBlob'): boolean => blobType === 'BlockBlob';

function unfinished(blobType = ''): Trouble {
  const detail = `The file was written as ${JSON.stringify(blobType.slice(0, 40))}, which is filled after it is made: nobody can tell when it is complete. Upload it as a block blob (x-ms-blob-type: BlockBlob).`;
  return { problem: { code: 'not-a-block-blob', detail }, body: 'unread' };
}

interface SeenLabel {
  label: string | null;
  reason: UploadDocument['reason'];
}

/** An image whose bytes are in the store. */
interface Image extends Pick<AcceptedImage, 'mediaType' | 'width' | 'height' | 'channels'> {
  md5: string;
  sha256: string;
  sizeBytes: number;
  seen: SeenLabel;
  source: SampleDocument['labelSource'];
}

/** What stands in the way of a sample, and what was read. */
type Trouble = { problem: 'gone' } | { problem: NonNullable<UploadDocument['reason']>; body: Buffer | 'unread' };

/** Reads and judges the original, and keeps its bytes under their digest. */
async function look(
  ports: IngestPorts,
  project: ProjectDocument,
  { blob, etag }: Arrival,
  pathLabel: string | null,
): Promise<Image | Trouble> {
  const original = await readOriginal(ports, { blob, etag });
  if ('problem' in original) return original;
  const image = await ports.inspect(original.body, original.contentType);
  if (!image.ok) return { problem: { code: image.reason, detail: image.detail }, body: original.body };
  const seen = labelOf(project, pathLabel, original.metadata);
  const described = describe(image, seen, pathLabel === null ? 'metadata' : 'path');
  await ports.blobs.create('datasets', storedName(project.id, described.md5), image.bytes, {
    contentType: image.mediaType,
  });
  return described;
}

/** Reads the very write that an event tells of, or finds what stands in the way. */
async function readOriginal(
  { blobs }: Pick<Ports, 'blobs'>,
  { blob, etag }: Pick<Arrival, 'blob' | 'etag'>,
): Promise<BlobContent | Trouble> {
  try {
    const original = await blobs.get('uploads', blob, { maxBytes: maxUploadBytes, ifMatch: etag });
    if (original === undefined) return { problem: 'gone' };
    if (original !== 'too-large') return original;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return { problem: { code: error.code, detail: error.message }, body: 'unread' };
  }
  const detail = `The file is larger than ${maxUploadBytes / 1024 / 1024} MB and was not read. Make the picture smaller or compress it more.`;
  return { problem: { code: 'too-large-bytes', detail }, body: 'unread' };
}

/** The image of an upload whose original is gone, from what an earlier delivery kept. */
async function recall(
  ports: IngestPorts,
  project: ProjectDocument,
  { label, reason, blob }: UploadDocument,
  sample: string,
): Promise<Image> {
  const kept = await ports.blobs.get('datasets', storedName(project.id, sample), { maxBytes: maxUploadBytes });
  const image =
    kept === undefined || kept === 'too-large' ? undefined : await ports.inspect(kept.body, kept.contentType);
  if (!image?.ok) throw new RetryLater(`the bytes of sample ${sample} of ${project.id} cannot be read`);
  return describe(image, { label, reason }, readUploadName(blob).label === null ? 'metadata' : 'path');
}

function describe(image: AcceptedImage, seen: SeenLabel, source: 'metadata' | 'path'): Image {
  const { bytes, mediaType, width, height, channels } = image;
  const md5 = createHash('md5').update(bytes).digest('hex');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const labelSource = seen.label === null ? null : source;
  return { md5, sha256, sizeBytes: bytes.length, mediaType, width, height, channels, seen, source: labelSource };
}

function labelOf(project: ProjectDocument, pathLabel: string | null, metadata: Record<string, string>): SeenLabel {
  const written = pathLabel === null ? labelFromMetadata(metadata) : { label: pathLabel };
  if (written === undefined) return { label: null, reason: null };
  if ('problem' in written) return { label: null, reason: written.problem };
  const { label } = written;
  const { classes } = project.settings;
  if (classes.length === 0 || classes.includes(label)) return { label, reason: null };
  const alike = lookAlikes([label, ...classes]).find((group) => group[0] === label)?.[1];
  const meant = alike === undefined ? '' : ` Was "${alike}" meant?`;
  const detail = `"${label}" is not a class of this project; the sample waits for review.${meant} Add the class or label it by review.`;
  return { label: null, reason: { code: 'unknown-class', detail } };
}

/** Makes the sample, or finds out what the same bytes are already. */
async function settle(
  ports: Ports,
  project: ProjectDocument,
  upload: UploadDocument,
  { md5, seen, source, ...image }: Image,
  event: BlobCreatedEvent,
): Promise<Finding> {
  const { label, reason } = seen;
  const sample: SampleDocument = {
    id: md5,
    pk: samplePartition(project.id, md5),
    project: project.id,
    ...image,
    label,
    labelSource: source,
    labelRevision: label === null ? 0 : 1,
    split: splitOf(image.sha256, project.settings.split),
    origin: upload.id,
    conflicts: [],
    key: null,
    firstVersion: null,
    createdAt: ports.clock.now().toISOString(),
  };
  const created = await ports.documents.create('samples', sample);
  const stored = created === 'exists' ? await ports.documents.read('samples', sample.pk, sample.id) : created;
  if (stored === undefined) throw new RetryLater(`sample ${sample.id} vanished while it was read`);
  const existing = stored.document;
  if (existing.sha256 !== sample.sha256) {
    const detail =
      'Another sample has the same MD5 but other bytes. That does not happen by chance: the file was made for it.';
    return quarantine(ports, upload, { code: 'md5-collision', detail });
  }
  const found = { sample: existing.id, label, reason };
  if (existing.origin === upload.id) {
    // this very upload made the sample, now or before a crash: it is accepted, never its own duplicate
    if (existing.label === null) return { outcome: 'unlabelled', ...found };
    await stageSample(ports, existing, project.settings, event);
    return { outcome: 'accepted', ...found };
  }
  if (label === null || existing.label === label) {
    // the label may have come from this very upload, before a crash
    if (existing.label !== null && existing.key === null) await stageSample(ports, existing, project.settings, event);
    return { outcome: 'duplicate', ...found };
  }
  if (existing.setAside !== undefined) {
    const detail = `${existing.setAside.detail} This upload has the same bytes.`;
    return { outcome: 'duplicate', ...found, reason: { code: 'set-aside', detail } };
  }
  if (existing.label === null) {
    const labelled = await update(ports.documents, 'samples', sample.pk, sample.id, (current) =>
      current === undefined || current.label !== null || current.setAside !== undefined
        ? 'keep'
        : { ...current, label, labelSource: sample.labelSource, labelRevision: current.labelRevision + 1 },
    );
    const now = labelled.stored?.document;
    if (now?.label === label) {
      await stageSample(ports, now, project.settings, event);
      return { outcome: 'duplicate', ...found };
    }
  }
  await update(ports.documents, 'samples', sample.pk, sample.id, (current) => {
    if (current === undefined || current.conflicts.some((c) => c.upload === upload.id)) return 'keep';
    return { ...current, conflicts: [...current.conflicts, { upload: upload.id, label }].slice(-maxConflicts) };
  });
  const detail = `The same image is a sample already, labelled "${existing.label}". It keeps that label until a person decides.`;
  return { outcome: 'conflict', ...found, reason: { code: 'label-conflict', detail } };
}

/** Keeps a copy of what was refused, if it can be asked for at all; the original expires by a lifecycle rule. */
async function quarantine(
  ports: Pick<Ports, 'blobs'>,
  { blob, etag }: Pick<Arrival, 'blob' | 'etag'>,
  reason: NonNullable<UploadDocument['reason']>,
  read?: Buffer | 'unread',
): Promise<Finding> {
  const none = { sample: null, label: null };
  const quarantined: Finding = { outcome: 'quarantined', reason, ...none };
  if (read === 'unread' || !isAddressable(blob)) return quarantined;
  const original = read === undefined ? await readOriginal(ports, { blob, etag }) : { body: read };
  if ('problem' in original && original.problem === 'gone') return { outcome: 'superseded', reason: null, ...none };
  if (Buffer.isBuffer(original.body))
    await ports.blobs.create('quarantine', uploadId(blob, etag), original.body, { metadata: { reason: reason.code } });
  return quarantined;
}
