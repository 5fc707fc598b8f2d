/** `blob-created` -> exactly one outcome per upload. Nothing is deleted; bad input is recorded at its first delivery. */
import { createHash } from 'node:crypto';
import { splitOf } from '../shared/dataset/split.ts';
import { stageSample } from '../shared/dataset/stage.ts';
import { storedName } from '../shared/dataset/store.ts';
import type { ProjectDocument, SampleDocument, UploadDocument, UploadOutcome } from '../shared/documents.ts';
import { RetryLater, TerminalError } from '../shared/errors.ts';
import type { ImageVerdict } from '../shared/image/decode.ts';
import type { BlobCreatedEvent } from '../shared/message.ts';
import { unassignedProject } from '../shared/names.ts';
import { update } from '../shared/outbox.ts';
import type { Blobs, Ports, Stored } from '../shared/ports.ts';
import {
  blobOf,
  labelFromMetadata,
  readUploadName,
  samplePartition,
  uploadId,
  uploadPartition,
} from '../shared/upload.ts';

export interface IngestPorts extends Ports {
  inspect: (bytes: Buffer, declaredType: string | undefined) => Promise<ImageVerdict>;
}

/** More is refused unread: a 50-megapixel PNG of noise stays below. */
const maxUploadBytes = 200 * 1024 * 1024;
const maxConflicts = 20;

interface Finding {
  outcome: UploadOutcome;
  reason: UploadDocument['reason'];
  sample: string | null;
  label: string | null;
}

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
  const name = readUploadName(blob.name);
  const known =
    name.project === unassignedProject ? undefined : await ports.documents.read('projects', 'projects', name.project);
  const project = known === undefined ? unassignedProject : name.project;

  const upload = await receive(ports, project, blob.name, etag, event);
  const { status, id } = upload.document;
  if (status !== 'received') return { project, outcome: status, upload: id };

  const finding =
    known === undefined
      ? await quarantine(ports, blob.name, etag, unknownProject(blob.name))
      : name.problem !== null
        ? await quarantine(ports, blob.name, etag, name.problem)
        : await examine(ports, known.document, upload.document, name.label, event);
  const finishedAt = ports.clock.now().toISOString();
  const done = await update(ports.documents, 'uploads', upload.document.pk, id, (current) =>
    current === undefined || current.status !== 'received'
      ? 'keep'
      : {
          ...current,
          status: finding.outcome,
          reason: finding.reason,
          sample: finding.sample,
          label: finding.label,
          finishedAt,
        },
  );
  return { project, outcome: done.stored?.document.status ?? finding.outcome, upload: id };
}

const unknownProject = (blob: string) => ({
  code: 'unknown-project',
  detail: `No project is called ${JSON.stringify(blob.split('/')[0]?.slice(0, 60))}. Create it, then upload again as {project}/{label}/{file}.`,
});

async function receive(
  ports: Ports,
  project: string,
  blob: string,
  etag: string,
  event: BlobCreatedEvent,
): Promise<Stored<UploadDocument>> {
  const id = uploadId(blob, etag);
  const pk = uploadPartition(project, id);
  const document: UploadDocument = {
    id,
    pk,
    project,
    blob,
    etag,
    status: 'received',
    reason: null,
    sample: null,
    label: null,
    receivedAt: ports.clock.now().toISOString(),
    finishedAt: null,
    traceparent: event.traceparent ?? null,
  };
  const created = await ports.documents.create('uploads', document);
  if (created !== 'exists') return created;
  const existing = await ports.documents.read('uploads', pk, id);
  if (existing === undefined) throw new RetryLater(`upload ${id} vanished while it was read`);
  return existing;
}

async function examine(
  ports: IngestPorts,
  project: ProjectDocument,
  upload: UploadDocument,
  pathLabel: string | null,
  event: BlobCreatedEvent,
): Promise<Finding> {
  const nothing = { reason: null, sample: null, label: null };
  const original = await ports.blobs.get('uploads', upload.blob, { maxBytes: maxUploadBytes, ifMatch: upload.etag });
  if (original === undefined) return { outcome: 'superseded', ...nothing };
  if (original === 'too-large') {
    const detail = `The file is larger than ${maxUploadBytes / 1024 / 1024} MB. Upload a smaller image.`;
    return { outcome: 'quarantined', ...nothing, reason: { code: 'too-large-bytes', detail } };
  }
  const image = await ports.inspect(original.body, original.contentType);
  if (!image.ok)
    return quarantine(ports, upload.blob, upload.etag, { code: image.reason, detail: image.detail }, original.body);

  const md5 = createHash('md5').update(image.bytes).digest('hex');
  const sha256 = createHash('sha256').update(image.bytes).digest('hex');
  const seen = labelOf(project, pathLabel, original.metadata);
  await ports.blobs.create('datasets', storedName(project.id, md5), image.bytes, { contentType: image.mediaType });
  const settings = project.settings;
  const sample: SampleDocument = {
    id: md5,
    pk: samplePartition(project.id, md5),
    project: project.id,
    sha256,
    sizeBytes: image.bytes.length,
    mediaType: image.mediaType,
    width: image.width,
    height: image.height,
    channels: image.channels,
    label: seen.label,
    labelSource: seen.source,
    labelRevision: seen.label === null ? 0 : 1,
    split: splitOf(sha256, settings.split),
    origin: upload.id,
    conflicts: [],
    key: null,
    firstVersion: null,
    createdAt: ports.clock.now().toISOString(),
  };
  return settle(ports, project, upload, sample, seen.reason, event);
}

interface SeenLabel {
  label: string | null;
  source: SampleDocument['labelSource'];
  reason: UploadDocument['reason'];
}

function labelOf(project: ProjectDocument, pathLabel: string | null, metadata: Record<string, string>): SeenLabel {
  const label = pathLabel ?? labelFromMetadata(metadata);
  const { classes } = project.settings;
  if (label !== null && classes.length > 0 && !classes.includes(label)) {
    const detail = `"${label}" is not a class of this project; the sample waits for review. Add the class or label it by review.`;
    return { label: null, source: null, reason: { code: 'unknown-class', detail } };
  }
  return { label, source: label === null ? null : pathLabel === null ? 'metadata' : 'path', reason: null };
}

/** Makes the sample, or finds out what the same bytes are already. */
async function settle(
  ports: Ports,
  project: ProjectDocument,
  upload: UploadDocument,
  sample: SampleDocument,
  reason: UploadDocument['reason'],
  event: BlobCreatedEvent,
): Promise<Finding> {
  const created = await ports.documents.create('samples', sample);
  const stored = created === 'exists' ? await ports.documents.read('samples', sample.pk, sample.id) : created;
  if (stored === undefined) throw new RetryLater(`sample ${sample.id} vanished while it was read`);
  const existing = stored.document;
  const { label } = sample;
  if (existing.sha256 !== sample.sha256) {
    const detail =
      'Another sample has the same MD5 but other bytes. That does not happen by chance: the file was made for it.';
    return quarantine(ports, upload.blob, upload.etag, { code: 'md5-collision', detail });
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
  if (existing.label === null) {
    const labelled = await update(ports.documents, 'samples', sample.pk, sample.id, (current) =>
      current === undefined || current.label !== null
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

/** Keeps a copy of what was refused; the original expires by a lifecycle rule. */
async function quarantine(
  ports: { blobs: Blobs },
  blob: string,
  etag: string,
  reason: NonNullable<UploadDocument['reason']>,
  body?: Buffer,
): Promise<Finding> {
  const none = { sample: null, label: null };
  const bytes = body ?? (await ports.blobs.get('uploads', blob, { maxBytes: maxUploadBytes, ifMatch: etag }));
  if (bytes === undefined) return { outcome: 'superseded', reason: null, ...none };
  if (bytes !== 'too-large') {
    await ports.blobs.create('quarantine', uploadId(blob, etag), Buffer.isBuffer(bytes) ? bytes : bytes.body, {
      metadata: { reason: reason.code },
    });
  }
  return { outcome: 'quarantined', reason, ...none };
}
