/** `blob-created` -> exactly one outcome per upload. Nothing is deleted; bad input is recorded at its first delivery. */
import type { BlobCreatedEvent } from '../delivery/message.ts';
import { RetryLater, TerminalError } from '../errors.ts';
import { unassignedProject } from '../names.ts';
import type { Ports, Stored } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { admit } from '../sample/admit.ts';
import type { StoredImage } from '../sample/describe.ts';
import type { UploadDocument } from './document.ts';
import { finishUpload, type Finding } from './finish.ts';
import { type InspectPorts, keepImage, readKeptImage } from './keep-image.ts';
import { blobOf, readUploadName } from './name.ts';
import { quarantine } from './quarantine.ts';
import { whyBadFolder } from './read-annotation.ts';
import { recordUpload } from './record.ts';
import { endWait, judgeSidecar, pictureOf, readSidecar, withSidecar } from './sidecar.ts';

export type IngestPorts = Ports & InspectPorts;

export type Ingested = { project: string; outcome: string; upload: string };

/** Handles one BlobCreated event of the uploads container. Safe to repeat. */
export async function ingest(ports: IngestPorts, event: BlobCreatedEvent): Promise<Ingested> {
  const written = writtenBy(event);
  const name = readUploadName(written.blob);
  const project = await projectOf(ports, name.project);
  const refusal =
    name.problem ?? (project === undefined ? unknownProject(written.blob) : whyBadFolder(project, name.folder));
  if (project === undefined || refusal !== undefined) {
    const recorded = await recordUpload(ports, { ...written, project: project?.id ?? unassignedProject }, null);
    if (project === undefined && name.problem === null) assertUnassigned(recorded.document);
    return conclude(ports, recorded, () => quarantine(ports, written, refusal ?? unknownProject(written.blob)));
  }
  const picture = pictureOf(project.settings, written.blob);
  if (picture !== undefined) return ingestSidecar(ports, project, written, picture, event);
  // the bytes are kept before the upload is recorded: a delivery that finds the original gone goes on with them
  const image = await keepImage(ports, project, written, name.folder);
  const kept = 'problem' in image ? null : { sample: image.md5, ...image.seen, ...image.findings };
  const recorded = await recordUpload(ports, { ...written, project: project.id }, kept);
  const upload = recorded.document;
  return conclude(ports, recorded, async () => {
    // an earlier delivery found no such project; what it said stands, though the project was made meanwhile
    if (upload.project === unassignedProject) return quarantine(ports, written, unknownProject(written.blob));
    const admitted = async (stored: StoredImage): Promise<Finding> => {
      const { image: seen, sidecar } = await withSidecar(ports, project, upload, stored);
      const found = await admit(ports, project, upload, seen, event);
      if (sidecar !== undefined && found !== 'md5-collision') await endWait(ports, sidecar, found);
      return found === 'md5-collision' ? quarantine(ports, written, md5Collision) : found;
    };
    if (!('problem' in image)) return admitted(image);
    if (image.problem !== 'gone') return quarantine(ports, written, image.problem, image.body);
    if (upload.sample === null) return { outcome: 'superseded', reason: null, sample: null, annotation: null };
    return admitted(await readKeptImage(ports, project, upload, upload.sample));
  });
}

async function ingestSidecar(
  ports: IngestPorts,
  project: ProjectDocument,
  written: ReturnType<typeof writtenBy>,
  picture: string,
  event: BlobCreatedEvent,
): Promise<Ingested> {
  const read = await readSidecar(ports, project, written);
  const kept = 'annotation' in read ? { sample: null, reason: null, annotation: read.annotation } : null;
  const recorded = await recordUpload(ports, { ...written, project: project.id }, kept);
  const upload = recorded.document;
  return conclude(ports, recorded, async () =>
    upload.project === unassignedProject
      ? quarantine(ports, written, unknownProject(written.blob))
      : judgeSidecar(ports, project, { upload, written, picture }, read, event),
  );
}

/** The write that an event tells of. Throws for an event of another container. */
function writtenBy({ subject, data, traceparent }: BlobCreatedEvent) {
  const blob = blobOf(subject);
  if (blob === undefined || blob.container !== 'uploads')
    throw new TerminalError('unexpected-subject', `the event names no upload: ${subject.slice(0, 200)}`);
  return { blob: blob.name, etag: data.eTag.replace(/^"|"$/g, ''), blobType: data.blobType, traceparent };
}

async function projectOf({ documents }: Pick<Ports, 'documents'>, name: string): Promise<ProjectDocument | undefined> {
  return name === unassignedProject ? undefined : (await documents.read('projects', 'projects', name))?.document;
}

function assertUnassigned({ project, id }: UploadDocument): void {
  if (project !== unassignedProject) throw new RetryLater(`project ${project} was made while upload ${id} was read`);
}

const unknownProject = (blob: string) => ({
  code: 'unknown-project',
  detail: `No project is called ${JSON.stringify(blob.split('/')[0]?.slice(0, 60))}. Create it, then upload again as {project}/{label}/{file}.`,
});

const md5Collision = {
  code: 'md5-collision',
  detail: 'Another sample has the same MD5 but other bytes. That does not happen by chance: the file was made for it.',
};

/** Finds the outcome of an upload that has none yet. */
async function conclude(
  ports: IngestPorts,
  recorded: Stored<UploadDocument>,
  find: () => Promise<Finding>,
): Promise<Ingested> {
  const { project, id, status } = recorded.document;
  const outcome = status === 'received' ? await finishUpload(ports, recorded, await find()) : status;
  return { project, outcome, upload: id };
}
