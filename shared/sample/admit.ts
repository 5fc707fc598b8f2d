/** Makes a sample of an uploaded image, or finds the one that shows the same pixels: `accepted`, `duplicate`, `conflict`. */
import type { UploadDocument } from '../upload/document.ts';
import type { ProjectDocument } from '../project/document.ts';
import { claimPixels, type NewSample } from './claim-pixels.ts';
import type { StoredImage } from './describe.ts';
import type { SampleDocument } from './document.ts';
import { RetryLater } from '../errors.ts';
import type { Cause } from '../delivery/message.ts';
import { update } from '../update.ts';
import type { Ports } from '../ports.ts';
import { samplePartition } from './partition.ts';
import { isSame, taskOf } from '../task/task.ts';
import type { Finding } from '../upload/finish.ts';
import { splitOf } from './split.ts';
import { stageSample } from '../dataset/stage-sample.ts';

type AdmitPorts = Pick<Ports, 'clock' | 'documents' | 'messages'>;

const maxConflicts = 20;
/** ... and no more of them than a sample's document has room for; the newest one always */
const maxConflictBytes = 256 * 1024;

/** Finds the outcome of an upload. 'md5-collision': its bytes were made to have the MD5 of others. Safe to repeat. */
export async function admit(
  ports: AdmitPorts,
  project: ProjectDocument,
  upload: UploadDocument,
  image: StoredImage,
  cause: Cause,
): Promise<Finding | 'md5-collision'> {
  const sample = sampleOf(project, upload, image, ports.clock.now());
  const shown = await claimPixels(ports, sample);
  if (shown === 'md5-collision') return shown;
  let existing = shown.document;
  const { annotation, reason } = image.seen;
  if (existing.origin === upload.id) {
    const found = { sample: existing.id, annotation, reason };
    // a file beside it came after the sample was made, and before a crash
    if (existing.annotation === null && annotation !== null) existing = await giveAnnotation(ports, existing, sample);
    // this very upload made the sample, now or before a crash: it is accepted, never its own duplicate
    if (existing.annotation === null) return { outcome: 'unlabelled', ...found };
    await stageSample(ports, existing, project.settings, cause);
    return { outcome: 'accepted', ...found };
  }
  return sayOf(ports, project, upload, existing, image, cause);
}

/** Finds the outcome of an upload that says something of a sample which another made: it is annotated so, or in conflict. Safe to repeat. */
export async function sayOf(
  ports: AdmitPorts,
  project: ProjectDocument,
  upload: UploadDocument,
  sample: SampleDocument,
  { seen, source }: Pick<StoredImage, 'seen' | 'source'>,
  cause: Cause,
): Promise<Finding> {
  let existing = sample;
  const kind = taskOf(project.settings);
  const { annotation, reason } = seen;
  const found = { sample: existing.id, annotation, reason };
  if (annotation === null || isSame(kind, existing.annotation, annotation)) {
    // the annotation may have come from this very upload, before a crash
    if (existing.annotation !== null && existing.key === null)
      await stageSample(ports, existing, project.settings, cause);
    return { outcome: 'duplicate', ...found };
  }
  if (existing.annotation === null) {
    existing = await giveAnnotation(ports, existing, { annotation, source });
    if (isSame(kind, existing.annotation, annotation)) {
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
    return { ...current, conflicts: newest([...current.conflicts, { upload: upload.id, annotation }]) };
  });
  const said = existing.annotation === null ? 'unlabelled' : kind.say(existing.annotation);
  const detail = `The same image is a sample already, ${said}. It stays so until a person decides.`;
  return { outcome: 'conflict', ...found, reason: { code: 'label-conflict', detail } };
}

/** The newest conflicts, as many as are kept. */
function newest(conflicts: SampleDocument['conflicts']): SampleDocument['conflicts'] {
  const kept = conflicts.slice(-maxConflicts);
  let bytes = Buffer.byteLength(JSON.stringify(kept));
  while (kept.length > 1 && bytes > maxConflictBytes) bytes -= Buffer.byteLength(JSON.stringify(kept.shift()));
  return kept;
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
    annotation: seen.annotation,
    source,
    revision: seen.annotation === null ? 0 : 1,
    split: splitOf(image.pixelDigest, project.settings.split),
    origin: upload.id,
    conflicts: [],
    key: null,
    firstVersion: null,
    createdAt: now.toISOString(),
  };
}

/** Gives a sample that has no annotation the one of an upload, unless another was faster; the sample as it is then. */
async function giveAnnotation(
  { documents }: AdmitPorts,
  { pk, id }: SampleDocument,
  { annotation, source }: Pick<SampleDocument, 'annotation' | 'source'>,
): Promise<SampleDocument> {
  const { stored } = await update(documents, 'samples', pk, id, (current) =>
    current === undefined || current.annotation !== null || current.setAside !== undefined
      ? 'keep'
      : { ...current, annotation, source, revision: current.revision + 1 },
  );
  if (stored === undefined) throw new RetryLater(`sample ${id} vanished while it was read`);
  return stored.document;
}
