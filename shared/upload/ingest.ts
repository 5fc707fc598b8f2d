/** `blob-created` -> exactly one outcome per upload. Nothing is deleted; bad input is recorded at its first delivery. */
import { createHash } from 'node:crypto';
import { admit, type SeenLabel, type StoredImage } from '../sample/admit.ts';
import { lookAlikes } from '../sample/look-alikes.ts';
import { storedName } from '../sample/content.ts';
import type { FileFindings, UploadDocument } from './document.ts';
import type { ProjectDocument } from '../project/document.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import type { AcceptedImage, ImageVerdict } from '../image/decode.ts';
import type { BlobCreatedEvent } from '../delivery/message.ts';
import { isAddressable, unassignedProject } from '../names.ts';
import type { BlobContent, Ports, Stored } from '../ports.ts';
import { blobOf, labelFromMetadata, readUploadName, uploadId } from './name.ts';
import { type Arrival, type Finding, finishUpload, recordUpload } from './record.ts';

export interface IngestPorts extends Ports {
  inspect: (bytes: Buffer, declaredType: string | undefined) => Promise<ImageVerdict>;
}

/** More is refused unread: a 20-megapixel PNG of noise stays below. */
const maxUploadBytes = 64 * 1024 * 1024;
/** a content type may have any length */
const maxTypeLength = 100;

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
  const kept = 'problem' in image ? null : { sample: image.md5, ...image.seen, ...image.findings };
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

/** What stands in the way of a sample, and what was read. */
type Trouble = { problem: 'gone' } | { problem: NonNullable<UploadDocument['reason']>; body: Buffer | 'unread' };

/** Reads and judges the original, and keeps its bytes under their digest. */
async function look(
  ports: IngestPorts,
  project: ProjectDocument,
  { blob, etag }: Arrival,
  pathLabel: string | null,
): Promise<StoredImage | Trouble> {
  const original = await readOriginal(ports, { blob, etag });
  if ('problem' in original) return original;
  const image = await ports.inspect(original.body, original.contentType);
  if (!image.ok) return { problem: { code: image.reason, detail: image.detail }, body: original.body };
  const { warnings, ...seen } = labelOf(project, pathLabel, original.metadata);
  const described = describe(image, seen, pathLabel, findingsOf(image, warnings));
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
  upload: UploadDocument,
  sample: string,
): Promise<StoredImage> {
  const kept = await ports.blobs.get('datasets', storedName(project.id, sample), { maxBytes: maxUploadBytes });
  const image =
    kept === undefined || kept === 'too-large' ? undefined : await ports.inspect(kept.body, kept.contentType);
  if (!image?.ok) throw new RetryLater(`the bytes of sample ${sample} of ${project.id} cannot be read`);
  const { label, reason, blob, trailingBytes, declaredType, warnings } = upload;
  // what was cut off is gone: what was found is in the upload's record
  const findings = {
    ...(trailingBytes === undefined ? {} : { trailingBytes }),
    ...(declaredType === undefined ? {} : { declaredType }),
    ...(warnings === undefined ? {} : { warnings }),
  };
  return describe(image, { label, reason }, readUploadName(blob).label, findings);
}

function describe(
  image: AcceptedImage,
  seen: SeenLabel,
  pathLabel: string | null,
  findings: FileFindings,
): StoredImage {
  const { bytes, mediaType, width, height, channels, pixelDigest, perceptualHash } = image;
  const md5 = createHash('md5').update(bytes).digest('hex');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const source = seen.label === null ? null : pathLabel === null ? 'metadata' : 'path';
  const shown = { mediaType, width, height, channels, pixelDigest, perceptualHash };
  return { md5, sha256, sizeBytes: bytes.length, ...shown, seen, source, findings };
}

type Warnings = NonNullable<FileFindings['warnings']>;

function findingsOf({ trailingBytes, declaredType, warnings }: AcceptedImage, more: Warnings): FileFindings {
  const all = [...warnings, ...more];
  return {
    ...(trailingBytes === 0 ? {} : { trailingBytes }),
    ...(declaredType === null ? {} : { declaredType: declaredType.slice(0, maxTypeLength) }),
    ...(all.length === 0 ? {} : { warnings: all }),
  };
}

/** The label of an upload: the name's, or else the metadata's. */
function labelOf(
  { settings: { classes } }: ProjectDocument,
  pathLabel: string | null,
  metadata: Record<string, string>,
): SeenLabel & { warnings: Warnings } {
  const told = labelFromMetadata(metadata);
  if (pathLabel === null) {
    if (told === undefined) return { label: null, reason: null, warnings: [] };
    if ('problem' in told) return { label: null, reason: told.problem, warnings: [] };
    return { ...among(classes, told.label), warnings: [] };
  }
  const agrees = told === undefined || ('label' in told && told.label === pathLabel);
  const detail = `The name says "${pathLabel}" and the metadata something else: the name counts.`;
  return { ...among(classes, pathLabel), warnings: agrees ? [] : [{ code: 'label-passed-over', detail }] };
}

/** A label, unless the project has classes and it is none of them. */
function among(classes: readonly string[], label: string): SeenLabel {
  if (classes.length === 0 || classes.includes(label)) return { label, reason: null };
  const alike = lookAlikes([label, ...classes]).find((group) => group[0] === label)?.[1];
  const meant = alike === undefined ? '' : ` Was "${alike}" meant?`;
  const detail = `"${label}" is not a class of this project; the sample waits for review.${meant} Add the class or label it by review.`;
  return { label: null, reason: { code: 'unknown-class', detail } };
}

/** Finds what becomes of an image whose bytes are kept. */
async function settle(
  ports: IngestPorts,
  project: ProjectDocument,
  upload: UploadDocument,
  image: StoredImage,
  event: BlobCreatedEvent,
): Promise<Finding> {
  const found = await admit(ports, project, upload, image, event);
  if (found !== 'md5-collision') return found;
  const detail =
    'Another sample has the same MD5 but other bytes. That does not happen by chance: the file was made for it.';
  return quarantine(ports, upload, { code: 'md5-collision', detail });
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
