/** Finding what became of an upload by its id. */
import { TerminalError } from '../errors.ts';
import { unassignedProject } from '../names.ts';
import type { Ports, Stored } from '../ports.ts';
import { samplePartition } from '../sample/partition.ts';
import type { UploadDocument } from './document.ts';
import { uploadPartition } from './name.ts';

/** Reads an upload and the first version that holds its sample; throws a TerminalError where there is no such upload. */
export async function findUpload(
  { documents }: Pick<Ports, 'documents'>,
  project: string,
  id: string,
): Promise<{ upload: Stored<UploadDocument>; firstVersion: number | null }> {
  // an upload without a project lies where its name says
  const upload =
    project === unassignedProject
      ? (await documents.query('uploads', { equals: { project, id }, limit: 1 })).items[0]
      : await documents.read('uploads', uploadPartition(project, id), id);
  if (upload?.document.project !== project)
    throw new TerminalError('unknown-upload', `There is no upload ${id} in project ${project}.`, 'upload');
  const { sample } = upload.document;
  const stored =
    sample === null ? undefined : await documents.read('samples', samplePartition(project, sample), sample);
  return { upload, firstVersion: stored?.document.firstVersion ?? null };
}
