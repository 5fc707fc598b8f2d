/** Uploads: what a blob's name says, and the identity of one finished write. */
import { projectName, unassignedProject, unprintable } from '../names.ts';
import { digestOf } from '../digest.ts';

/** A blob event's subject, e.g. `/blobServices/default/containers/uploads/blobs/digits/7/a.png`. */
const subjectPattern = /^\/blobServices\/default\/containers\/([a-z0-9-]+)\/blobs\/(.+)$/s;

/** The blob's real container and name, as the storage service knows them. */
export function blobOf(subject: string): { container: string; name: string } | undefined {
  const match = subjectPattern.exec(subject);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { container: match[1], name: match[2] };
}

/** One finished write: name and etag. */
export const uploadId = (blob: string, etag: string): string => `u${digestOf(31, blob, etag)}`;

/** Partition of an upload, by the project that its name gives: sixteen per project, so that no logical partition outgrows its 20 GB. */
export const uploadPartition = (project: string, id: string): string => `${project}:${id.slice(1, 2)}`;

export interface UploadName {
  project: string;
  /** what stands between project and file; null: nothing does */
  folder: string | null;
  problem: { code: 'bad-name'; detail: string } | null;
}

/**
 * Reads `{project}/{folder}/{file}` or `{project}/{file}`. A name is data, never a path: whatever is not exactly that
 * belongs to the project `unassigned` or is refused with the reason.
 */
export function readUploadName(name: string): UploadName {
  const parts = name.split('/');
  const project = projectName.safeParse(parts[0]);
  if (!project.success)
    return { project: unassignedProject, folder: null, problem: badName('its first part is not a project name') };
  const known = project.data;
  if (name.length > 1024)
    return { project: known, folder: null, problem: badName('it has more than 1,024 characters') };
  if (unprintable.test(name) || name.includes('\\')) {
    return {
      project: known,
      folder: null,
      problem: badName('it has control characters, lone surrogates or backslashes'),
    };
  }
  if (parts.some((p) => p === '' || p === '.' || p === '..')) {
    return { project: known, folder: null, problem: badName('it has an empty part, "." or ".."') };
  }
  if (parts.length === 2) return { project: known, folder: null, problem: null };
  if (parts.length !== 3) return { project: known, folder: null, problem: badName(`it has ${parts.length} parts`) };
  return { project: known, folder: parts[1] ?? '', problem: null };
}

/** Why a name was not understood. */
export const badName = (why: string): { code: 'bad-name'; detail: string } => ({
  code: 'bad-name',
  detail: `The blob's name was not understood: ${why}. Name uploads {project}/{label}/{file} or {project}/{file}.`,
});
