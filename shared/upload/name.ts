/** Uploads: what a blob's name and metadata say, and the identity of one finished write. */
import { className, projectName, unassignedProject, unprintable } from '../names.ts';
import { digestOf } from '../digest.ts';

/** how much of what was written a reason repeats */
const maxSaid = 120;

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
  const label = readLabel(parts[1] ?? '');
  if ('why' in label) return { project: known, label: null, problem: bad(`its label is none: ${label.why}`) };
  return { project: known, label: label.label, problem: null };
}

const bad = (why: string): { code: 'bad-name'; detail: string } => ({
  code: 'bad-name',
  detail: `The blob's name was not understood: ${why}. Name uploads {project}/{label}/{file} or {project}/{file}.`,
});

/**
 * Reads a label that stands in a blob's name or metadata, where the same text means the same: it is percent-encoded, since
 * metadata is ASCII only; a percent sign that encodes nothing is a percent sign.
 */
function readLabel(text: string): { label: string } | { why: string } {
  const parsed = className.safeParse(decoded(text));
  return parsed.success ? { label: parsed.data } : { why: parsed.error.issues[0]?.message ?? 'it is no class name' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A class as the part of a blob's name, or the metadata, that `readLabel` reads as that class. */
export const labelInName = (label: string): string => (decoded(label) === label ? label : label.replaceAll('%', '%25'));

/** The label in a blob's metadata (`x-ms-meta-label`), or why that is none; undefined where there is no such entry. */
export function labelFromMetadata(
  metadata: Record<string, string>,
): { label: string } | { problem: { code: 'bad-label'; detail: string } } | undefined {
  const entry = Object.entries(metadata).find(([key]) => key.toLowerCase() === 'label');
  if (entry === undefined) return undefined;
  const read = readLabel(entry[1]);
  if ('label' in read) return read;
  const said = JSON.stringify(entry[1].slice(0, maxSaid));
  const detail = `The blob's metadata has the label ${said}, which is none: ${read.why}. The sample waits for review: label it there, or upload the file again with a label.`;
  return { problem: { code: 'bad-label', detail } };
}
