/**
 * Annotations in a file beside the picture: `scene.jpg.json` says what `scene.jpg` shows, in projects whose kind has them so.
 * Either may come first. Each is recorded before the other is looked for, and reads are strongly consistent: whichever
 * comes second finds the first, or each finds the other, and says the same of the sample.
 */
import type { Cause } from '../delivery/message.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import type { ProjectSettings } from '../project/settings.ts';
import { sayOf } from '../sample/admit.ts';
import type { StoredImage } from '../sample/describe.ts';
import { samplePartition } from '../sample/partition.ts';
import { parseAnnotation } from '../task/parse-annotation.ts';
import { type Annotation, taskOf } from '../task/task.ts';
import { update } from '../update.ts';
import type { UploadDocument } from './document.ts';
import { type Finding, waitsForPicture } from './finish.ts';
import { quarantine } from './quarantine.ts';
import { among } from './read-annotation.ts';
import { type Original, readOriginal, type Refusal } from './read-original.ts';

type SidecarPorts = Pick<Ports, 'blobs' | 'clock' | 'documents' | 'messages'>;

const ending = '.json';
/** as many as a body of the API may have that says the same */
const maxSidecarBytes = 512 * 1024;
/** writes of one name that are looked through for the newest that counts */
const maxWrites = 50;

/** The picture that an upload of such a name is about; undefined: it is none of a project with sidecars, or no sidecar. */
export const pictureOf = (of: Pick<ProjectSettings, 'task'>, blob: string): string | undefined =>
  taskOf(of).sidecars && blob.endsWith(ending) ? blob.slice(0, -ending.length) : undefined;

/** Reads what a sidecar says, as its event tells of it, or finds what is wrong with it. */
export async function readSidecar(
  ports: Pick<Ports, 'blobs'>,
  { settings }: ProjectDocument,
  written: Original,
): Promise<{ annotation: Annotation } | Refusal> {
  const original = await readOriginal(ports, written, maxSidecarBytes);
  if ('problem' in original) return original;
  const { body } = original;
  try {
    const given: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return { annotation: parseAnnotation(taskOf(settings), given, 'file') };
  } catch (error) {
    const why = error instanceof TerminalError ? error.message : `The file is no JSON in UTF-8: ${String(error)}.`;
    return { problem: { code: 'bad-annotation', detail: `${why.slice(0, 500)} Write it again under its name.` }, body };
  }
}

/** Finds the outcome of a sidecar that was recorded: its picture's sample is annotated, or it waits. Safe to repeat. */
export async function judgeSidecar(
  ports: SidecarPorts,
  project: ProjectDocument,
  { upload, written, picture }: { upload: UploadDocument; written: Original; picture: string },
  read: { annotation: Annotation } | Refusal,
  cause: Cause,
): Promise<Finding> {
  // what an earlier delivery read stands, though the name was written again since
  const { annotation } = upload;
  if (annotation === null) {
    if ('annotation' in read || read.problem === 'gone')
      return { outcome: 'superseded', reason: null, sample: null, annotation };
    return quarantine(ports, written, read.problem, read.body);
  }
  const shown = await newest(ports, project.id, picture, ({ sample }) => sample !== null);
  if (shown === undefined) {
    const detail = `No picture ${picture} has come yet. When it comes, it is annotated so.`;
    return { outcome: 'accepted', reason: { code: waitsForPicture, detail }, sample: null, annotation };
  }
  const { id, status, sample } = shown.document;
  const stored =
    status === 'received' || sample === null
      ? undefined
      : await ports.documents.read('samples', samplePartition(project.id, sample), sample);
  if (stored === undefined) throw new RetryLater(`upload ${id}, which ${upload.blob} is about, has no outcome yet`);
  const seen = among(taskOf(project.settings), project.settings.classes, annotation, stored.document);
  const found = await sayOf(ports, project, upload, stored.document, { seen, source: 'metadata' }, cause);
  if (found.outcome !== 'duplicate') return found;
  return { ...found, outcome: seen.annotation === null ? 'unlabelled' : 'accepted' };
}

/** The image of an upload with what the sidecar says that came before it, if one did, and that sidecar. */
export async function withSidecar(
  ports: Pick<Ports, 'documents'>,
  { id: project, settings }: ProjectDocument,
  { blob }: UploadDocument,
  image: StoredImage,
): Promise<{ image: StoredImage; sidecar?: Stored<UploadDocument> }> {
  const kind = taskOf(settings);
  if (!kind.sidecars || image.seen.annotation !== null) return { image };
  // one that was of another picture of that name says nothing of this one
  const counts = ({ annotation, sample }: UploadDocument): boolean =>
    annotation !== null && (sample === null || sample === image.md5);
  const sidecar = await newest(ports, project, `${blob}${ending}`, counts);
  if (sidecar === undefined || sidecar.document.annotation === null) return { image };
  const seen = among(kind, settings.classes, sidecar.document.annotation, image);
  return { image: { ...image, seen, source: seen.annotation === null ? null : 'metadata' }, sidecar };
}

/** Notes at a sidecar that waited which sample it is about, and what came of it. */
export async function endWait(
  { documents }: Pick<Ports, 'documents'>,
  sidecar: Stored<UploadDocument>,
  { sample, reason }: Pick<Finding, 'sample' | 'reason'>,
): Promise<void> {
  const { pk, id } = sidecar.document;
  const note = (current: UploadDocument | undefined): UploadDocument | 'keep' =>
    current === undefined || current.sample !== null ? 'keep' : { ...current, sample, reason };
  await update(documents, 'uploads', pk, id, note, sidecar);
}

/** The newest write of a name that counts. */
async function newest(
  { documents }: Pick<Ports, 'documents'>,
  project: string,
  blob: string,
  counts: (upload: UploadDocument) => boolean,
): Promise<Stored<UploadDocument> | undefined> {
  const orderBy = { field: 'receivedAt', descending: true } as const;
  const { items } = await documents.query('uploads', { equals: { project, blob }, orderBy, limit: maxWrites });
  return items.find(({ document }) => counts(document));
}
