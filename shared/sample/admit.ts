/**
 * Makes a sample of an uploaded image, or finds the one that shows the same pixels. A document named by the pixels says
 * which sample that is: it is created before the sample, so that of files with the same pixels, uploaded at the same moment
 * by any number of processes, one becomes a sample; and it holds the whole sample, so that nobody waits for one that died.
 */
import type { FileFindings, UploadDocument } from '../upload/document.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { SampleDocument } from './document.ts';
import { RetryLater } from '../errors.ts';
import type { AcceptedImage } from '../image/decode.ts';
import type { Cause } from '../delivery/message.ts';
import { update } from '../delivery/outbox.ts';
import type { Ports, Stored } from '../ports.ts';
import { samplePartition } from './partition.ts';
import type { Finding } from '../upload/record.ts';
import { splitOf } from './split.ts';
import { stageSample } from '../dataset/stage.ts';

type AdmitPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

const maxConflicts = 20;
/** a claim is in vain once for each file that was made to have another one's MD5 */
const maxTries = 5;

export interface SeenLabel {
  label: string | null;
  reason: UploadDocument['reason'];
}

type Described = Pick<AcceptedImage, 'mediaType' | 'width' | 'height' | 'channels' | 'pixelDigest' | 'perceptualHash'>;

/** An image whose bytes are in the store, under their MD5. */
export interface StoredImage extends Described {
  md5: string;
  sha256: string;
  sizeBytes: number;
  seen: SeenLabel;
  source: SampleDocument['labelSource'];
  findings: FileFindings;
}

type NewSample = SampleDocument & { pixelDigest: string };

/** Finds the outcome of an upload. 'md5-collision': its bytes were made to have the MD5 of others. Safe to repeat. */
export async function admit(
  ports: AdmitPorts,
  project: ProjectDocument,
  upload: UploadDocument,
  image: StoredImage,
  cause: Cause,
): Promise<Finding | 'md5-collision'> {
  const sample = sampleOf(project, upload, image, ports.clock.now());
  const shown = await claim(ports, sample);
  if (shown === 'md5-collision') return shown;
  let existing = shown.document;
  const { label, reason } = image.seen;
  const found = { sample: existing.id, label, reason };
  if (existing.origin === upload.id) {
    // this very upload made the sample, now or before a crash: it is accepted, never its own duplicate
    if (existing.label === null) return { outcome: 'unlabelled', ...found };
    await stageSample(ports, existing, project.settings, cause);
    return { outcome: 'accepted', ...found };
  }
  if (label === null || existing.label === label) {
    // the label may have come from this very upload, before a crash
    if (existing.label !== null && existing.key === null) await stageSample(ports, existing, project.settings, cause);
    return { outcome: 'duplicate', ...found };
  }
  if (existing.label === null) {
    existing = await giveLabel(ports, existing, sample);
    if (existing.label === label) {
      await stageSample(ports, existing, project.settings, cause);
      return { outcome: 'duplicate', ...found };
    }
  }
  if (existing.setAside !== undefined) {
    const detail = `${existing.setAside.detail} This upload shows the same pixels.`;
    return { outcome: 'duplicate', ...found, reason: { code: 'set-aside', detail } };
  }
  await update(ports.documents, 'samples', existing.pk, existing.id, (current) => {
    if (current === undefined || current.conflicts.some((c) => c.upload === upload.id)) return 'keep';
    return { ...current, conflicts: [...current.conflicts, { upload: upload.id, label }].slice(-maxConflicts) };
  });
  const detail = `The same image is a sample already, labelled "${existing.label}". It keeps that label until a person decides.`;
  return { outcome: 'conflict', ...found, reason: { code: 'label-conflict', detail } };
}

function sampleOf(
  project: ProjectDocument,
  upload: UploadDocument,
  { md5, seen, source, findings, ...image }: StoredImage,
  now: Date,
): NewSample {
  return {
    id: md5,
    pk: samplePartition(project.id, md5),
    project: project.id,
    ...image,
    ...findings,
    label: seen.label,
    labelSource: source,
    labelRevision: seen.label === null ? 0 : 1,
    split: splitOf(image.pixelDigest, project.settings.split),
    origin: upload.id,
    conflicts: [],
    key: null,
    firstVersion: null,
    createdAt: now.toISOString(),
  };
}

/** The one sample that shows the pixels of `sample`: that one, unless another came first. */
async function claim({ documents }: AdmitPorts, sample: NewSample): Promise<Stored<SampleDocument> | 'md5-collision'> {
  const { project, pixelDigest: id } = sample;
  const pk = samplePartition(project, id);
  for (let tries = 0; tries < maxTries; tries++) {
    const created = await documents.create('pixels', { id, pk, sample });
    const claimed = created === 'exists' ? await documents.read('pixels', pk, id) : created;
    if (claimed === undefined) throw new RetryLater(`the document of the pixels ${id} vanished while it was read`);
    const first = claimed.document.sample;
    const stored = await readOrMake(documents, first, created === 'exists');
    if (stored.document.sha256 === first.sha256) return stored;
    if (first.sha256 === sample.sha256) return 'md5-collision';
    // it was claimed for bytes that are no sample, since their MD5 is another one's
    await documents.replace('pixels', { ...claimed.document, sample }, claimed.etag);
  }
  throw new RetryLater(`the document of the pixels ${id} changed ${maxTries} times`);
}

/** The sample under the id of `sample`, made if it is missing; `expected`: it is likely to be there. */
async function readOrMake(
  documents: Ports['documents'],
  sample: SampleDocument,
  expected: boolean,
): Promise<Stored<SampleDocument>> {
  const known = expected ? await documents.read('samples', sample.pk, sample.id) : undefined;
  if (known !== undefined) return known;
  const created = await documents.create('samples', sample);
  const stored = created === 'exists' ? await documents.read('samples', sample.pk, sample.id) : created;
  if (stored === undefined) throw new RetryLater(`sample ${sample.id} vanished while it was read`);
  return stored;
}

/** Gives a sample that has no label the one of an upload, unless another was faster; the sample as it is then. */
async function giveLabel(
  { documents }: AdmitPorts,
  { pk, id }: SampleDocument,
  { label, labelSource }: SampleDocument,
): Promise<SampleDocument> {
  const { stored } = await update(documents, 'samples', pk, id, (current) =>
    current === undefined || current.label !== null || current.setAside !== undefined
      ? 'keep'
      : { ...current, label, labelSource, labelRevision: current.labelRevision + 1 },
  );
  if (stored === undefined) throw new RetryLater(`sample ${id} vanished while it was read`);
  return stored.document;
}
