/** Uploads: what a blob's name and metadata say, and the identity of one finished write. */
import { className, digestOf, projectName, unassignedProject, unprintable } from './names.ts';

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

/** Partition of a sample: 256 per project. */
export const samplePartition = (project: string, md5: string): string => `${project}:${md5.slice(0, 2)}`;

export interface UploadName {
  project: string;
  label: string | null;
  problem: { code: 'bad-name'; detail: string } | null;
}

/**
 * Reads `{project}/{label}/{file}` or `{project}/{file}`. A name is data, never a path: whatever is not exactly that
 * belongs to the project `unassigned` or is refused with the reason.
 */
export function readUploadName(name: string): UploadName {
  const parts = name.split('/');
  const project = projectName.safeParse(parts[0]);
  if (!project.success)
    return { project: unassignedProject, label: null, problem: bad('its first part is not a project name') };
  const known = project.data;
  if (name.length > 1024) return { project: known, label: null, problem: bad('it has more than 1,024 characters') };
  if (unprintable.test(name) || name.includes('\\')) {
    return { project: known, label: null, problem: bad('it has control characters, lone surrogates or backslashes') };
  }
  if (parts.some((p) => p === '' || p === '.' || p === '..')) {
    return { project: known, label: null, problem: bad('it has an empty part, "." or ".."') };
  }
  if (parts.length === 2) return { project: known, label: null, problem: null };
  if (parts.length !== 3) return { project: known, label: null, problem: bad(`it has ${parts.length} parts`) };
  const label = (parts[1] ?? '').normalize('NFC');
  const parsed = className.safeParse(label);
  if (!parsed.success)
    return { project: known, label: null, problem: bad(`its label is not one: ${parsed.error.issues[0]?.message}`) };
  return { project: known, label, problem: null };
}

const bad = (why: string): { code: 'bad-name'; detail: string } => ({
  code: 'bad-name',
  detail: `The blob's name was not understood: ${why}. Name uploads {project}/{label}/{file} or {project}/{file}.`,
});

/** A label from the blob's metadata (`x-ms-meta-label`), percent-encoded when it is not plain ASCII. */
export function labelFromMetadata(metadata: Record<string, string>): string | null {
  const entry = Object.entries(metadata).find(([key]) => key.toLowerCase() === 'label');
  if (entry === undefined) return null;
  let text = entry[1];
  try {
    text = decodeURIComponent(text);
  } catch {
    // a bare percent sign is part of the label
  }
  const parsed = className.safeParse(text.normalize('NFC'));
  return parsed.success ? parsed.data : null;
}
